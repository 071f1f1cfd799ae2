"""Train the studio's text encoder and UNet together, on latents that were encoded once.

    python studio/train_unet.py --pool POOL --work WORK --seconds 4200

Needs ``POOL/scenes.jsonl``, ``WORK/latents.npy``, ``WORK/latents.json`` and ``WORK/tokenizer``;
starts from the text encoder in ``WORK/text.pt`` if it is there (train_text.py).
v-prediction on a zero-terminal-SNR schedule, min-SNR weights with a floor, a moving average of the
weights, a tenth of the captions empty; captions are drawn anew each time a picture is met.  Errors
where ``POOL/marks.npy`` says that a thing or a character stands weigh more (``--focus``).
``--seconds`` is the length of the whole schedule, all sessions together: a run that was stopped
goes on from ``WORK/unet.pt`` with the time that is left.  ``--start MODEL`` begins with an exported
model, also where that one had fewer latent channels.  On a CPU two processes of one thread
each share a batch: they wait for each other once a step, where threads wait at every operation.
``--float32`` leaves bf16 out, which a CPU without AMX is slower at (72 ms a picture against 47).
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import random
import shutil
import signal
import sys
import time
from bisect import bisect
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import torch
from captions import caption
from common import (
    UNET_HELD_OUT,
    Ema,
    Pace,
    choose_device,
    load_checkpoint,
    log_line,
    save_checkpoint,
    set_up_torch,
)
from diffusers import DDIMScheduler, UNet2DConditionModel
from scenes import Scene
from torch import Tensor, distributed, multiprocessing, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.data import DataLoader, Dataset
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

LATENT_CHANNELS, LATENT_SIZE = 16, 16
TEXT_WIDTH = 256
UNET_CONFIG = {
    "sample_size": LATENT_SIZE,
    "in_channels": LATENT_CHANNELS,
    "out_channels": LATENT_CHANNELS,
    "block_out_channels": (96, 192, 224),
    "layers_per_block": 1,
    # Attention at 8x8 and in the middle (4x4) only: at 16x16 it is the dear part.
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "cross_attention_dim": TEXT_WIDTH,
    "attention_head_dim": 4,  # diffusers' name for the number of heads
    "norm_num_groups": 32,
}
SCHEDULE = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "prediction_type": "v_prediction",
    "rescale_betas_zero_snr": True,
    "timestep_spacing": "trailing",
    "clip_sample": False,
    "set_alpha_to_one": True,
    "steps_offset": 1,  # of no effect with trailing spacing; SD pipelines ask for it
}
LOG_EVERY = 50  # steps
SAVE_EVERY = 180  # seconds
EMA_EVERY = 4  # steps
TOKENIZER = ("vocab.json", "merges.txt")
MOST_STEPS = 10**7


def text_config(tokenizer: CLIPTokenizer) -> CLIPTextConfig:
    """Describe the text encoder for a vocabulary."""
    return CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=TEXT_WIDTH,
        intermediate_size=4 * TEXT_WIDTH,
        num_hidden_layers=3,
        num_attention_heads=4,
        max_position_embeddings=tokenizer.model_max_length,
        projection_dim=TEXT_WIDTH,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def prepare_text_encoder(encoder: CLIPTextModel) -> None:
    """Start from embeddings as strong as what the layers add to them.

    CLIP's own start (std 0.02) drowns them: two words' states differ so little that, after 2,000
    steps, settings were drawn as told but characters were not.
    """
    with torch.no_grad():
        for name, weight in encoder.named_parameters():
            if name.endswith("token_embedding.weight"):
                weight.mul_(0.5 / weight.std())
            elif name.endswith("position_embedding.weight"):
                weight.mul_(0.1 / weight.std())


class Painter(nn.Module):
    """Text encoder and UNet: token ids and noisy latents to v."""

    def __init__(self, tokenizer: CLIPTokenizer) -> None:
        super().__init__()
        self.text_encoder = CLIPTextModel(text_config(tokenizer))
        prepare_text_encoder(self.text_encoder)
        self.unet = UNet2DConditionModel(**UNET_CONFIG)

    def keep_text(self) -> None:
        """Train the UNet alone: a text encoder that knows its words is a quarter of a step's work."""
        self.text_encoder.requires_grad_(False)

    def forward(self, noisy: Tensor, timesteps: Tensor, ids: Tensor) -> Tensor:
        """(B, 16, 16, 16), (B,), (B, 77) -> (B, 16, 16, 16)."""
        states = self.text_encoder(ids).last_hidden_state
        made: Tensor = self.unet(noisy, timesteps, states, return_dict=False)[0]
        return made


@torch.no_grad()
def take_over(painter: Painter, model: Path) -> None:
    """Begin with an exported model; latent channels that it did not have begin small."""
    encoder = CLIPTextModel.from_pretrained(model / "text_encoder")
    painter.text_encoder.load_state_dict(encoder.state_dict())
    older = UNet2DConditionModel.from_pretrained(model / "unet")
    known = older.state_dict()
    for name, weight in painter.unet.state_dict().items():
        if weight.shape != known[name].shape:
            weight.mul_(0.1)
        weight[tuple(map(slice, known[name].shape))] = known[name]


def take_tokenizer(work: Path, model: Path) -> None:
    """Use an exported model's tokenizer: learning one anew may number its tokens otherwise.

    Raises:
        ValueError: ``work`` holds another one already.

    """
    ours, theirs = work / "tokenizer", model / "tokenizer"
    if not ours.exists():
        shutil.copytree(theirs, ours)
    elif any((ours / name).read_bytes() != (theirs / name).read_bytes() for name in TOKENIZER):
        raise ValueError(f"{ours} is not the tokenizer of {model}: take it away")


def loss_weights(signal_to_noise: Tensor) -> Tensor:
    """Weigh errors by min-SNR (gamma 5) for v-prediction, at least 0.5.

    What stands where is decided in the noisiest steps: they must not be starved.
    """
    return (signal_to_noise.clamp(max=5) / (signal_to_noise + 1)).clamp_min(0.5)


def memory_format(device: torch.device) -> torch.memory_format:
    """Channels last on a GPU; on a CPU a step of this UNet took 16.6 ms a picture without, 19.3 with."""
    return torch.contiguous_format if device.type == "cpu" else torch.channels_last


def heaps(scenes: list[Scene], known: Path) -> list[float]:
    """Running sums of how little is known of what each scene behind the held-out ones shows.

    By rate_codes.py; a scene weighs as its least known part.
    """
    errors: dict[str, float] = json.loads(known.read_text(encoding="utf-8"))
    usual = float(np.mean(list(errors.values())))

    def weight(scene: Scene) -> float:
        return max((errors.get(code, usual) for code in scene.codes), default=usual)

    return list(itertools.accumulate(weight(scene) for scene in scenes[UNET_HELD_OUT:]))


class Words(Dataset[tuple[Tensor, Tensor]]):
    """Which pictures a step learns from and what is said of them, fixed by a seed and the step's number."""

    def __init__(
        self, args: argparse.Namespace, scenes: list[Scene], tokenizer: CLIPTokenizer
    ) -> None:
        self.scenes, self.tokenizer = scenes, tokenizer
        self.batch, self.seed, self.empty = args.batch, args.seed, args.empty
        self.single_share: float = args.singles
        self.hard_share: float = args.hard
        self.heaps = heaps(scenes, args.work / "known.json") if args.hard else None
        self.rows = (len(scenes) - UNET_HELD_OUT) // args.batch * args.batch
        self.epoch, self.order = -1, np.empty(0, np.int64)
        self.singles = [
            row
            for row, scene in enumerate(scenes)
            if row >= UNET_HELD_OUT and scene.relation in ("alone", "prop")
        ]

    def tokens(self, texts: list[str]) -> Tensor:
        """(B, 77) ids, padded as the pipeline pads."""
        ids: Tensor = self.tokenizer(
            texts, padding="max_length", truncation=True, return_tensors="pt"
        ).input_ids
        return ids

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        """Give a step's rows of the pool (B,) and token ids (B, 77)."""
        epoch, place = divmod(step * self.batch, self.rows)
        if epoch != self.epoch:
            shuffle = np.random.default_rng((self.seed, epoch))
            self.order = UNET_HELD_OUT + shuffle.permutation(len(self.scenes) - UNET_HELD_OUT)
            self.epoch = epoch
        rows = self.order[place : place + self.batch].copy()
        rng = random.Random(f"{self.seed}/{step}")
        # Scenes of one thing come more often: in these a word tells most about the picture.
        for number in range(self.batch):
            if rng.random() < self.single_share:
                rows[number] = rng.choice(self.singles)
            elif self.heaps is not None and rng.random() < self.hard_share:
                place = bisect(self.heaps, rng.random() * self.heaps[-1])
                rows[number] = UNET_HELD_OUT + min(place, len(self.heaps) - 1)
        texts = [
            "" if rng.random() < self.empty else caption(self.scenes[row], rng) for row in rows
        ]
        return torch.from_numpy(rows), self.tokens(texts)


class Batches:
    """Latents and token ids; ``--loaders`` processes draw the words of the steps to come."""

    def __init__(
        self, args: argparse.Namespace, tokenizer: CLIPTokenizer, device: torch.device
    ) -> None:
        lines = (args.pool / "scenes.jsonl").read_text(encoding="utf-8").splitlines()
        scenes = [Scene.from_json(json.loads(line)) for line in lines]
        facts = json.loads((args.work / "latents.json").read_text(encoding="utf-8"))
        latents = torch.from_numpy(np.load(args.work / "latents.npy"))
        self.words = Words(args, scenes[: len(latents)], tokenizer)
        self.latents = (latents.float() / facts["std"]).to(torch.bfloat16).to(device)
        self.device, self.loaders = device, args.loaders
        # Things are small: unweighted, most of what a step learns is about skies and grounds.
        marks = torch.from_numpy(np.load(args.pool / "marks.npy")[: len(latents)].copy())
        focus = 1 + (args.focus - 1) * marks.float()[:, None] / 255
        self.focus = (focus / focus.mean()).to(torch.bfloat16).to(device)
        self._ahead: Iterator[tuple[Tensor, Tensor]] | None = None

    def _words(self, step: int) -> tuple[Tensor, Tensor]:
        """What a step says; steps are asked for one after the other."""
        if not self.loaders:
            return self.words[step]
        if self._ahead is None:
            steps = range(step, step + MOST_STEPS)
            # batches are whole as they come, and a GPU need not wait while they are drawn
            loader = DataLoader(
                *(self.words, None),
                sampler=steps,
                num_workers=self.loaders,
                prefetch_factor=8,
                multiprocessing_context="fork",
            )
            self._ahead = iter(loader)
        return next(self._ahead)

    def get(self, step: int, part: slice) -> tuple[Tensor, Tensor, Tensor]:
        """Give latents (B, 16, 16, 16), ids (B, 77), weights of places of a step for this process.

        The weights (B, 1, 16, 16) are 1 on the whole pool's average.
        """
        rows, ids = self._words(step)
        mine = rows[part].to(self.device)
        ids = ids[part].to(self.device)
        return self.latents[mine].float(), ids, self.focus[mine].float()

    def held_out(self) -> tuple[Tensor, Tensor]:
        """Give the scenes that are never trained on."""
        rng = random.Random("held out")
        texts = [caption(scene, rng) for scene in self.words.scenes[:UNET_HELD_OUT]]
        return self.latents[:UNET_HELD_OUT].float(), self.words.tokens(texts).to(self.device)


@torch.no_grad()
def held_out_loss(
    model: Painter,
    data: tuple[Tensor, Tensor],
    schedule: DDIMScheduler,
    device: torch.device,
    *,
    low: bool,
) -> float:
    """Unweighted v-loss on scenes never trained on, with noise and timesteps that never change."""
    generator = torch.Generator().manual_seed(0)
    latents, ids = data
    noise = torch.randn(latents.shape, generator=generator).to(device)
    timesteps = torch.linspace(20, 999, len(latents)).long().to(device)
    wanted = schedule.get_velocity(latents, noise, timesteps)
    noisy = schedule.add_noise(latents, noise, timesteps)
    total = 0.0
    for part in torch.arange(len(latents)).split(64):
        with torch.autocast(device.type, torch.bfloat16, enabled=low):
            made = model(noisy[part], timesteps[part], ids[part])
        total += float((made.float() - wanted[part]).pow(2).mean()) * len(part)
    return total / len(latents)


def rate_factor(step: int, part: float, warmup: int = 60) -> float:
    """Warm-up, then a cosine down to nothing at the end of the schedule."""
    return min(1.0, (step + 1) / warmup) * (0.5 + 0.5 * math.cos(math.pi * min(1.0, part)))


class Gradients:
    """All gradients in one buffer, so that processes can add them up in one go.

    Two more places carry the loss and the seconds that a step took: after ``share`` every process
    has the same mean of everything, and so does the same.
    """

    def __init__(self, model: nn.Module, device: torch.device) -> None:
        weights = [weight for weight in model.parameters() if weight.requires_grad]
        self.buffer = torch.zeros(sum(w.numel() for w in weights) + 2, device=device)
        self.flat, self.extra = self.buffer[:-2], self.buffer[-2:]
        start = 0
        for weight in weights:
            # The weight's own strides: a fused optimizer walks both through memory together.
            weight.grad = self.flat.as_strided(weight.shape, weight.stride(), start)
            start += weight.numel()

    def share(self, loss: float, seconds: float) -> tuple[float, float]:
        """Average over processes; give the mean loss and seconds."""
        self.extra[0], self.extra[1] = loss, seconds
        if distributed.is_initialized():
            distributed.all_reduce(self.buffer)
            self.buffer /= distributed.get_world_size()
        mean_loss, mean_seconds = self.extra.tolist()
        return mean_loss, mean_seconds

    def clip(self, most: float) -> None:
        """Scale down to a norm of at most ``most``."""
        self.flat *= (most / (self.flat.norm() + 1e-6)).clamp(max=1.0)


class Run:
    """A training run: model, optimizer, averages, and how far they are."""

    def __init__(self, args: argparse.Namespace, rank: int) -> None:
        self.args, self.rank = args, rank
        self.device = choose_device(args.device)
        self._gpu = self.device.type != "cpu"
        set_up_torch(args.seed)
        tokenizer = CLIPTokenizer.from_pretrained(args.work / "tokenizer")
        self.batches = Batches(args, tokenizer, self.device)
        self.schedule = DDIMScheduler(**SCHEDULE)
        power = self.schedule.alphas_cumprod.to(self.device)
        self.weights = loss_weights(power / (1 - power))
        self.model = Painter(tokenizer).to(self.device, memory_format=memory_format(self.device))
        if args.keep_text:
            self.model.keep_text()
        self.gradients = Gradients(self.model, self.device)
        encoder = self.model.text_encoder
        if args.start:
            take_over(self.model, args.start)
        elif (args.work / "text.pt").exists():
            encoder.load_state_dict(load_checkpoint(args.work / "text.pt"))
        # The text encoder knows its words already (train_text.py): it moves more slowly.
        groups = [
            {
                "params": [weight for weight in part.parameters() if weight.requires_grad],
                "rate": rate,
            }
            for part, rate in ((encoder, 0.1 * args.rate), (self.model.unet, args.rate))
        ]
        groups = [group for group in groups if group["params"]]
        self.adam = torch.optim.AdamW(
            groups, lr=args.rate, betas=(0.9, 0.99), weight_decay=0.01, fused=True
        )
        self.ema = Ema(self.model, decay=0.996)
        self.step, self.seconds = 0, 0.0
        self.clock = 0.0  # when the last step was timed
        self.pace = Pace()
        self.held_out = self.batches.held_out()
        self.checkpoint: Path = args.work / "unet.pt"
        if self.checkpoint.exists():
            self.resume()

    def resume(self) -> None:
        """Go on from the checkpoint."""
        state = load_checkpoint(self.checkpoint)
        self.model.load_state_dict(state["model"])
        self.ema.load(state["ema"])
        self.adam.load_state_dict(state["optimizer"])
        self.step, self.seconds = state["step"], state["seconds"]

    def save(self) -> None:
        """Write the checkpoint."""
        state = {
            "model": self.model.state_dict(),
            "ema": self.ema.state(),
            "optimizer": self.adam.state_dict(),
            "step": self.step,
            "pictures": self.step * self.args.batch,
            "seconds": self.seconds,
        }
        save_checkpoint(self.checkpoint, state)

    def take_step(self) -> float:
        """Learn from one batch; give its loss."""
        count = self.args.batch
        part = slice(self.rank, None, self.args.processes)
        latents, ids, focus = self.batches.get(self.step, part)
        seed = self.args.seed * 1_000_003 + self.step
        chance = torch.Generator().manual_seed(seed)
        # drawn where it is needed: a GPU would wait for a CPU's
        there = torch.Generator(self.device).manual_seed(seed) if self._gpu else chance
        shape = (count, *latents.shape[1:])
        noise = torch.randn(shape, generator=there, device=there.device)[part]
        # One timestep in each of `count` parts of the schedule, the noisy end more often: there
        # words tell most.
        spread = torch.arange(count) + torch.rand(count, generator=chance)
        timesteps = (
            ((spread / count) ** self.args.noisy * 1000).long().clamp(0, 999)[part].to(self.device)
        )
        noisy = self.schedule.add_noise(latents, noise, timesteps)
        wanted = self.schedule.get_velocity(latents, noise, timesteps)
        part = self.seconds / self.args.seconds
        for group in self.adam.param_groups:
            group["lr"] = group["rate"] * rate_factor(self.step, part)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=not self.args.float32):
            noisy = noisy.contiguous(memory_format=memory_format(self.device))
            made = self.model(noisy, timesteps, ids)
        errors = ((made.float() - wanted).pow(2) * focus).mean((1, 2, 3))
        loss = (errors * self.weights[timesteps]).mean()
        self.gradients.buffer.zero_()
        loss.backward()
        now = time.monotonic()
        counted = self.pace.counted(now - self.clock)
        mean_loss, seconds = self.gradients.share(float(loss.detach()), counted)
        self.clock = now
        if not math.isfinite(mean_loss):
            raise RuntimeError(f"the loss is not finite at step {self.step}")
        self.gradients.clip(1.0)
        self.adam.step()
        if self.rank == 0 and self.step % EMA_EVERY == 0:
            self.ema.update(self.model)
        self.step += 1
        self.seconds += seconds
        return mean_loss

    def log(self, losses: list[float]) -> None:
        """Write what the last steps lost; now and then, what held-out scenes lose."""
        line: dict[str, float | str] = {
            "stage": "unet",
            "step": self.step,
            "pictures": self.step * self.args.batch,
            "seconds": round(self.seconds),
            "loss": round(float(np.mean(losses)), 5),
            "rate": round(self.adam.param_groups[-1]["lr"], 7),
        }
        if self.step % 500 == 0 or self.step == LOG_EVERY:
            with self.ema.applied_to(self.model):
                loss = held_out_loss(
                    self.model,
                    self.held_out,
                    self.schedule,
                    self.device,
                    low=not self.args.float32,
                )
            line["held_out"] = round(loss, 5)
        log_line(self.args.work / "unet_log.jsonl", **line)

    def train(self) -> None:
        """Train until the schedule's time is spent."""
        losses: list[float] = []
        last_save = self.clock = time.monotonic()
        on_cpu = self.device.type == "cpu"  # where plain attention is faster at these small sizes
        while self.seconds < self.args.seconds and self.step != self.args.stop_after:
            with sdpa_kernel(SDPBackend.MATH) if on_cpu else nullcontext():
                losses.append(self.take_step())
            if self.rank:
                continue
            if self.step % LOG_EVERY == 0:
                self.log(losses)
                losses.clear()
            if time.monotonic() - last_save > SAVE_EVERY:
                self.save()
                last_save = time.monotonic()
        if self.rank == 0:
            self.save()


def run_process(rank: int, args: argparse.Namespace) -> None:
    """Train as one of ``args.processes``."""
    if args.processes > 1:
        torch.set_num_threads(1)
        meeting = (args.work / "meeting").resolve()
        distributed.init_process_group(
            "gloo", init_method=meeting.as_uri(), rank=rank, world_size=args.processes
        )
    Run(args, rank).train()
    if args.processes > 1:
        distributed.destroy_process_group()


def main() -> None:
    """Run the stage."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pool", type=Path, required=True, help="folder made by compose.py")
    parser.add_argument("--work", type=Path, required=True, help="folder for checkpoints and log")
    parser.add_argument("--seconds", type=float, default=4200, help="length of the schedule")
    parser.add_argument("--start", type=Path, help="an exported model to begin with")
    parser.add_argument("--stop-after", type=int, help="stop at this step (for trials)")
    parser.add_argument("--batch", type=int, default=32, help="pictures a step")
    parser.add_argument("--rate", type=float, default=8e-4, help="peak rate of AdamW")
    parser.add_argument("--keep-text", action="store_true", help="train the UNet alone")
    parser.add_argument("--float32", action="store_true", help="no bf16: for CPUs without AMX")
    parser.add_argument(
        "--noisy", type=float, default=0.5, help="exponent of timesteps: 1 draws all alike"
    )
    parser.add_argument("--empty", type=float, default=0.1, help="part of captions left empty")
    parser.add_argument("--singles", type=float, default=0.4, help="part of scenes of one thing")
    parser.add_argument(
        "--hard", type=float, default=0.0, help="part of scenes of what is known least"
    )
    parser.add_argument("--focus", type=float, default=4.0, help="weight of places with things")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=1, help="2 suit 2 CPU cores")
    parser.add_argument(
        "--loaders", type=int, default=0, help="processes that draw captions, beside a GPU"
    )
    args = parser.parse_args()
    if args.start:
        take_tokenizer(args.work, args.start)
    (args.work / "meeting").unlink(missing_ok=True)
    if args.processes > 1:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # let the others end with us
        multiprocessing.spawn(run_process, (args,), args.processes, daemon=True)
    else:
        run_process(0, args)


if __name__ == "__main__":
    main()
