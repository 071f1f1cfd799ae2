"""Our steps/s against the loop that diffusers' documentation has for LoRA, side by side.

    python benchmarks/training_image.py [--steps 20] [--rounds 3] [--resolution 256] [--batch 2] [--model DIR]

Same model, pictures, batches, noise, timesteps, target layers, optimizer and schedule. The other loop is
train_text_to_image_lora.py's: the VAE and the text encoder run in every step, all in fp32; its pictures are
kept decoded and its captions as tokens, so that only the networks are compared. Ours takes latents and embeds
that were encoded once (how long that took is printed), in fp32 and in what `precision: auto` is here. Each
side is a process of its own, as its user would have it: theirs as Python and torch start it, ours prepared as
our workers are. The default model is an untrained Stable Diffusion 1.5 of half its width, with half the
heads, which are as wide as its own: that keeps the proportions of UNet, VAE and text encoder. They take
turns; medians are shown. Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TQDM_DISABLE", "1")
os.environ.setdefault("DIFFUSERS_VERBOSITY", "error")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import torch
from torch import nn

import lorakit
from lorakit import resources
from lorakit.execute.workers import worker_environment
from lorakit.facts.machine.this_machine import this_machine
from lorakit.models.loading import load_pipeline
from lorakit.models.processor import prepare_torch
from lorakit.plan.buckets import PictureOrder
from lorakit.plan.tasks.job import Job
from lorakit.plan.tasks.training import TrainImageTask
from lorakit.training.encode_engine import EncodeEngine
from lorakit.training.image_data import pixels
from lorakit.training.image_model import build
from lorakit.training.image_trainer import image_task
from lorakit.training.loop import Loop
from lorakit.training.networks import Networks
from lorakit.training.task import LoopSettings, seeded

WARM, RANK = 2, 4
TARGETS = ["to_k", "to_q", "to_v", "to_out.0"]  # as the script has them


def half(folder: Path) -> Path:
    """Stable Diffusion 1.5 with half the channels everywhere, untrained."""
    from diffusers import (
        AutoencoderKL,
        DDIMScheduler,
        StableDiffusionPipeline,
        UNet2DConditionModel,
    )
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    torch.manual_seed(0)
    letters = [*map(chr, range(ord("a"), ord("z") + 1)), *"0123456789.,!?'-"]
    tokens = [*letters, *(f"{one}</w>" for one in letters), "<|startoftext|>", "<|endoftext|>"]
    (folder / "words").mkdir(parents=True)
    vocabulary, merges = folder / "words" / "vocab.json", folder / "words" / "merges.txt"
    vocabulary.write_text(json.dumps({token: n for n, token in enumerate(tokens)}))
    merges.write_text("#version: 0.2\n")
    words = CLIPTokenizer(str(vocabulary), str(merges), model_max_length=77)
    text = CLIPTextConfig(
        vocab_size=len(tokens),
        hidden_size=384,
        intermediate_size=1536,
        num_hidden_layers=12,
        num_attention_heads=6,
        bos_token_id=len(tokens) - 2,
        eos_token_id=len(tokens) - 1,
    )
    StableDiffusionPipeline(
        vae=AutoencoderKL(
            block_out_channels=(64, 128, 256, 256),
            layers_per_block=2,
            latent_channels=4,
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
        ),
        text_encoder=CLIPTextModel(text),
        tokenizer=words,
        unet=UNet2DConditionModel(
            sample_size=64,
            block_out_channels=(160, 320, 640, 640),
            cross_attention_dim=384,
            attention_head_dim=4,
        ),
        scheduler=DDIMScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False
        ),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(folder / "model")
    return folder / "model"


def prepared(root: Path, model: str, args: argparse.Namespace) -> Job[TrainImageTask]:
    """A training's job as the plan makes it, with latents and embeds encoded."""
    (root / ".lorakit").mkdir()
    (root / "recipe.yaml").write_text(
        f"recipe: 1\nseed: 7\nmodels: {{base: {{from: '{model}', dtype: fp32}}}}\n"
        "datasets: {hologram: {images: 'lorakit:hologram'}}\nsteps:\n"
        f"  style: {{kind: train-image, model: base, data: hologram, resolution: {args.resolution},\n"
        f"    lora: {{rank: {RANK}, target_modules: {TARGETS}}},\n"
        f"    train: {{max_train_steps: {args.steps + WARM}, batch_size: {args.batch}}}}}\n"
    )
    plan = lorakit.load(root / "recipe.yaml").plan()
    made: dict[str, dict[str, str]] = {}
    engine: EncodeEngine | None = None
    seconds = 0.0
    for number, action in enumerate(planned.action for planned in plan.actions):
        out = root / f"{number}"
        out.mkdir()
        inputs = {i.role: made[i.action][i.output] for i in action.inputs}
        job: Job[Any] = Job(action.id, "key", action.task, inputs, out)
        if isinstance(action.task, TrainImageTask):
            print(f"encoding {len(action.inputs)} pictures and captions, once: {seconds:.1f} s")
            return job
        engine = engine or EncodeEngine(action.engine.spec, lambda *_: None)
        began = time.monotonic()
        engine.submit(job)
        (done,) = engine.step()
        seconds += time.monotonic() - began
        made[action.id] = dict(done["outputs"])  # type: ignore[call-overload]
    raise AssertionError("nothing to train")


def rates(seconds: list[float]) -> float:
    return len(seconds[WARM:]) / sum(seconds[WARM:])


def ours(job: Job[TrainImageTask], precision: str) -> tuple[float, list[float]]:
    task = replace(job.task, precision=precision, checkpointing_steps=0)
    pipeline = build(task, words=False)
    networks = Networks(pipeline, task.family, text=False)
    loop = Loop(image_task(pipeline, networks, task, job.inputs), LoopSettings.of(task))
    seconds = []
    while not loop.done:
        began = time.monotonic()
        loop.step()
        seconds.append(time.monotonic() - began)
    return rates(seconds), [f.loss for f in loop.history]


class Documented:
    """The documentation's loop; what it draws is drawn as ours is, so that losses can be compared."""

    def __init__(self, job: Job[TrainImageTask]) -> None:
        from diffusers import DDPMScheduler
        from peft import LoraConfig

        task = job.task
        self.seed, self.train = task.seed, task.train
        self.pipeline = load_pipeline(Path(task.model_path), task.family, "fp32", "cpu")
        seeded(self.seed, "adapter")
        self.pipeline.unet.add_adapter(
            LoraConfig(r=RANK, lora_alpha=RANK, init_lora_weights=True, target_modules=TARGETS)
        )
        self.scheduler = DDPMScheduler.from_config(self.pipeline.scheduler.config)
        samples = task.samples
        folder = resources.path("data") / "hologram"
        self.pixels = [pixels(folder / sample.name, sample.bucket) for sample in samples]
        tokenizer = self.pipeline.tokenizer
        self.ids = [
            tokenizer(
                sample.caption,
                max_length=tokenizer.model_max_length,
                padding="max_length",
                truncation=True,
                return_tensors="pt",
            ).input_ids
            for sample in samples
        ]
        schedule = task.schedule
        self.schedule = schedule
        buckets = [samples[s].bucket for s in schedule]
        self.order = PictureOrder(buckets, self.train.batch_size, self.seed)

    def run(self) -> tuple[float, list[float]]:
        from diffusers.optimization import get_scheduler

        unet, vae, text = self.pipeline.unet, self.pipeline.vae, self.pipeline.text_encoder
        trained = [p for p in unet.parameters() if p.requires_grad]
        rate, steps = self.train.learning_rate, self.train.steps
        optimizer = torch.optim.AdamW(trained, lr=rate, weight_decay=self.train.weight_decay)
        schedule = get_scheduler(
            self.train.lr_scheduler, optimizer, num_warmup_steps=0, num_training_steps=steps
        )
        unet.train()
        seconds, losses = [], []
        for step in range(steps):
            began = time.monotonic()
            generator = seeded(self.seed, "step", step, 0)
            chosen = [self.schedule[place] for place in self.order.members(step)]
            spread = vae.encode(torch.cat([self.pixels[one] for one in chosen])).latent_dist
            drawn = torch.randn(spread.mean.shape, generator=generator)
            latents = (spread.mean + spread.std * drawn) * vae.config.scaling_factor
            noise = torch.randn(latents.shape, generator=generator)
            times = torch.randint(
                self.scheduler.config.num_train_timesteps, (len(chosen),), generator=generator
            )
            noisy = self.scheduler.add_noise(latents, noise, times)
            embeds = text(torch.cat([self.ids[one] for one in chosen]), return_dict=False)[0]
            said = unet(noisy, times, embeds, return_dict=False)[0]
            loss = nn.functional.mse_loss(said.float(), noise.float(), reduction="mean")
            losses.append(float(loss.detach()))
            loss.backward()
            nn.utils.clip_grad_norm_(trained, self.train["max_grad_norm"])
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            seconds.append(time.monotonic() - began)
        return rates(seconds), losses


def one_side(name: str, folder: Path) -> None:
    """Train on one side, in this process; writes its steps/s and losses."""
    warnings.simplefilter("ignore")
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    if name == "theirs":
        result = Documented(job).run()
    else:
        prepare_torch(torch.get_num_threads())  # as our workers do
        result = ours(job, name)
    (folder / f"{name}.json").write_text(json.dumps(result), encoding="utf-8")


def turns(folder: Path, rounds: int, precisions: list[str]) -> Iterator[tuple[str, Any]]:
    """Each side's steps/s and losses, each round in turn."""
    as_workers = worker_environment(os.environ)
    for _ in range(rounds):
        for name in ("theirs", *precisions):
            command = [sys.executable, __file__, "--side", name, "--folder", str(folder)]
            environment = None if name == "theirs" else as_workers
            subprocess.run(command, check=True, env=environment)
            yield name, json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--resolution", type=int, default=256)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--model", default="", help="a folder in diffusers' layout with a VAE")
    parser.add_argument("--side", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.side:
        one_side(args.side, args.folder)
        return
    warnings.simplefilter("ignore")
    auto = this_machine().precision("auto")
    precisions = ["fp32"] if auto == "fp32" else ["fp32", auto]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        model = args.model or str(half(root / "base"))
        job = prepared(root, model, args)
        (root / "job.json").write_text(json.dumps(job), encoding="utf-8")
        threads = torch.get_num_threads()
        print(
            f"{args.steps} steps of {args.batch} at {args.resolution} px, {threads} threads; steps/s",
            flush=True,
        )
        found: dict[str, list[tuple[float, list[float]]]] = {}
        for name, result in turns(root, args.rounds, precisions):
            found.setdefault(name, []).append(result)
    medians = {name: statistics.median(rate for rate, _ in each) for name, each in found.items()}
    theirs = medians.pop("theirs")
    print(f"diffusers' loop, fp32: {theirs:.3f}")
    for name, rate in medians.items():
        apart = max(
            abs(a - b) for a, b in zip(found["theirs"][0][1], found[name][0][1], strict=True)
        )
        said = f"losses at most {apart:.1e} apart"
        auto_word = " (precision: auto)" if name == auto else ""
        print(f"ours, {name}{auto_word}: {rate:.3f}: {rate / theirs:.2f}x; {said}")


if __name__ == "__main__":
    main()
