"""Train the studio's autoencoder: pictures (B, 3, 128, 128) <-> latents (B, 16, 16, 16).

    python studio/train_vae.py --pool POOL --work WORK --seconds 1800

The network is diffusers' ``AutoencoderTiny``: convolutions and ReLU only, a factor of 8 in each
direction, no distribution (encoding draws no noise).  The loss is L1 and squared error on pixels
plus L1 on their horizontal and vertical differences, and the logarithm of each picture's squared
error where ``--psnr`` weighs it; a little noise on the latents keeps the decoder tolerant of what
a diffusion model will hand it.  ``--seconds`` is the length of the whole
schedule, all sessions together: a run that was stopped goes on from its checkpoint with the time
that is left.  ``--start MODEL`` begins with an exported model's autoencoder, also where that one
has fewer latent channels or other blocks: what fits is taken over, what is new begins small.
``--decoder-only`` keeps the encoder as it is (latents already encoded stay valid); with
``--redrawn`` half of each batch are latents that a diffusion model drew again (redraw_pool.py), the
others those of ``WORK/latents.npy``; the picture that is wanted is the one they were drawn after.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from common import (
    Ema,
    Pace,
    choose_device,
    load_checkpoint,
    log_line,
    open_pool,
    save_checkpoint,
    set_up_torch,
    to_pictures,
)
from diffusers import AutoencoderTiny
from muon import Muon
from torch import Tensor, nn

VAE_CONFIG = {
    "in_channels": 3,
    "out_channels": 3,
    "latent_channels": 16,
    "encoder_block_out_channels": (48, 48, 48, 48),
    "decoder_block_out_channels": (48, 48, 48, 48),
    # From the picture inwards / from the latents outwards.  Blocks at full resolution are the dear
    # ones, and not needed: what a block at half resolution says suffices for four pixels.
    "num_encoder_blocks": (0, 1, 3, 3),
    "num_decoder_blocks": (3, 3, 6, 0),
    "act_fn": "relu",
}
LOG_EVERY, SAVE_EVERY = 60, 120  # seconds
HELD_OUT = 64  # the first pictures of a pool are never trained on


def reconstruction_loss(made: Tensor, wanted: Tensor, squared: float, log: float) -> Tensor:
    """L1 and ``squared`` x squared error on pixels, L1 on differences of neighbours.

    ``log`` weighs the natural logarithm of each picture's mean squared error, which is its PSNR
    but for sign and scale: easy pictures count as much as hard ones.  Both (B, 3, H, W) in -1..1.
    """
    error = made - wanted
    across = error[..., :, 1:] - error[..., :, :-1]
    down = error[..., 1:, :] - error[..., :-1, :]
    power = error.pow(2).mean((1, 2, 3))
    pixels = error.abs().mean() + squared * power.mean() + log * power.clamp_min(1e-6).log().mean()
    return pixels + across.abs().mean() + down.abs().mean()


def variance_penalty(latents: Tensor) -> Tensor:
    """Pull each latent channel towards unit power, so that one scaling factor suits them all."""
    return (latents.pow(2).mean((0, 2, 3)) - 1).pow(2).mean()


@torch.no_grad()
def psnr(vae: AutoencoderTiny, pictures: Tensor) -> float:
    """Mean PSNR in dB of the round trip, each picture by itself; ``pictures`` in -1..1."""
    total = []
    for batch in pictures.split(16):
        made = vae.decoder(vae.encoder(batch)).clamp(-1, 1)
        mse = ((made - batch) / 2).pow(2).mean((1, 2, 3)).clamp_min(1e-10)
        total.append(-10 * mse.log10())
    return float(torch.cat(total).mean())


def prepare_weights(vae: AutoencoderTiny) -> None:
    """Start from Kaiming's weights, with small residual branches.

    PyTorch's own start is so faint through this many plain convolutions that AdamW stayed at 14 dB
    for 8,000 pictures.
    """
    for module in vae.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    with torch.no_grad():
        for name, weight in vae.named_parameters():
            if name.endswith("conv.4.weight"):
                weight.mul_(0.2)
        vae.encoder.layers[-1].weight.mul_(0.5)
        vae.decoder.layers[-1].weight.mul_(0.3)


def stages(layers: nn.Sequential) -> list[list[nn.Module]]:
    """A coder's layers, parted where the resolution changes."""
    parts: list[list[nn.Module]] = [[]]
    for layer in layers:
        strided = isinstance(layer, nn.Conv2d) and layer.stride[0] > 1
        if strided or isinstance(layer, nn.Upsample):
            parts.append([])
        parts[-1].append(layer)
    return parts


@torch.no_grad()
def take_over(vae: AutoencoderTiny, older: AutoencoderTiny) -> None:
    """Copy what an older autoencoder knows; what has no like there begins as good as absent."""
    for coder, other in ((vae.encoder, older.encoder), (vae.decoder, older.decoder)):
        for ours, theirs in zip(stages(coder.layers), stages(other.layers), strict=True):
            for kind in {type(layer) for layer in ours}:
                old = [layer for layer in theirs if type(layer) is kind]
                for number, layer in enumerate(one for one in ours if type(one) is kind):
                    if number < len(old):
                        known = old[number].state_dict()
                        for name, weight in layer.state_dict().items():
                            weight.mul_(0.3)
                            weight[tuple(map(slice, known[name].shape))] = known[name]
                    elif hasattr(layer, "conv"):
                        layer.conv[4].weight.mul_(0.05)


def split_weights(vae: AutoencoderTiny) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """(for Muon, for AdamW): all inner convolutions; biases and the layers at either picture end."""
    ends = {vae.encoder.layers[0].weight, vae.decoder.layers[-1].weight}
    trained = [p for p in vae.parameters() if p.requires_grad]
    matrices = [p for p in trained if p.ndim == 4 and p not in ends]
    return matrices, [p for p in trained if p.ndim != 4 or p in ends]


def rate_factor(step: int, part: float) -> float:
    """Give the factor on a peak rate; ``part`` (0..1) says how much of the schedule is done.

    Warm-up over 100 steps, level until 40 % of the schedule, then a line down to 2 %.
    """
    falling = 1.0 if part < 0.4 else 0.02 + 0.98 * (1 - part) / 0.6
    return min(1.0, (step + 1) / 100) * falling


class Run:
    """A training run: autoencoder, optimizers, averages, and how far they are."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.device = choose_device(args.device)
        set_up_torch(args.seed)
        args.work.mkdir(parents=True, exist_ok=True)
        self.pool = open_pool(args.pool)
        self.held_out = to_pictures(self.pool[:HELD_OUT], self.device)
        self.vae = AutoencoderTiny(**VAE_CONFIG)
        prepare_weights(self.vae)
        if args.start:
            take_over(self.vae, AutoencoderTiny.from_pretrained(args.start / "vae"))
        self.vae.to(self.device, memory_format=torch.channels_last)
        if args.decoder_only:
            self.vae.encoder.requires_grad_(False)
        matrices, others = split_weights(self.vae)
        self.trained = [*matrices, *others]
        self.adam = torch.optim.AdamW(others, lr=args.rate, betas=(0.9, 0.99), fused=True)
        self.muon = Muon(matrices, lr=args.muon_rate)
        self.ema = Ema(self.vae, decay=0.998)
        self.step, self.pictures, self.seconds = 0, 0, 0.0
        self.pace = Pace()
        self.checkpoint: Path = args.work / "vae.pt"
        if self.checkpoint.exists():
            self.resume()
        self.generator = np.random.default_rng(args.seed + self.step)
        if args.redrawn:
            self.redrawn = np.load(args.redrawn, mmap_mode="r")
            self.encoded = np.load(args.work / "latents.npy", mmap_mode="r")

    def resume(self) -> None:
        """Go on from the checkpoint; a decoder alone goes on from the averaged weights."""
        state = load_checkpoint(self.checkpoint)
        self.step, self.pictures = state["step"], state["pictures"]
        if state["decoder_only"] == self.args.decoder_only:
            self.vae.load_state_dict(state["model"])
            self.adam.load_state_dict(state["optimizer"])
            self.muon.load_state_dict(state["muon"])
            self.seconds = state["seconds"]
        else:  # a new schedule; the encoder whose latents were stored is the averaged one
            self.vae.load_state_dict(state["ema"]["weights"])
        self.ema.load(state["ema"])

    def save(self) -> None:
        """Write the checkpoint."""
        state = {
            "model": self.vae.state_dict(),
            "ema": self.ema.state(),
            "optimizer": self.adam.state_dict(),
            "muon": self.muon.state_dict(),
            "step": self.step,
            "pictures": self.pictures,
            "seconds": self.seconds,
            "decoder_only": self.args.decoder_only,
        }
        save_checkpoint(self.checkpoint, state)

    def batch(self) -> tuple[Tensor, Tensor | None]:
        """Pictures (B, 3, 128, 128), and their latents where these are there already."""
        rows = np.sort(self.generator.integers(HELD_OUT, len(self.pool), self.args.batch))
        if not self.args.redrawn:
            batch = to_pictures(self.pool[rows], self.device)
            return (batch.flip(3) if self.generator.random() < 0.5 else batch), None
        half = len(rows) // 2
        rows[:half] = np.sort(self.generator.integers(HELD_OUT, len(self.redrawn), half))
        latents = np.concatenate([self.redrawn[rows[:half]], self.encoded[rows[half:]]])
        known = torch.from_numpy(latents.astype(np.float32)).to(self.device)
        return to_pictures(self.pool[rows], self.device), known

    def take_step(self) -> float:
        """Learn from one batch; give its loss."""
        batch, known = self.batch()
        factor = rate_factor(self.step, self.seconds / self.args.seconds)
        self.adam.param_groups[0]["lr"] = self.args.rate * factor
        self.muon.param_groups[0]["lr"] = self.args.muon_rate * factor
        with torch.autocast(self.device.type, torch.bfloat16):
            latents = self.vae.encoder(batch) if known is None else known
            noise = torch.randn_like(latents) * (latents.detach().std() * self.args.noise)
            made = self.vae.decoder(latents + noise)
        loss = reconstruction_loss(made.float(), batch, self.args.squared, self.args.psnr)
        if not self.args.decoder_only:
            loss = loss + 0.01 * variance_penalty(latents.float())
        if not torch.isfinite(loss):
            raise RuntimeError(f"the loss is not finite at step {self.step}")
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.trained, 1.0)
        self.adam.step()
        self.muon.step()
        self.vae.zero_grad()
        self.ema.update(self.vae)
        self.step += 1
        self.pictures += self.args.batch
        return float(loss.detach())

    def quality(self) -> float:
        """PSNR in dB of the averaged weights on pictures never trained on."""
        with self.ema.applied_to(self.vae):
            return psnr(self.vae, self.held_out)

    def train(self) -> None:
        """Train until the schedule's time is spent."""
        losses: list[float] = []
        last_log = last_save = time.monotonic()
        while self.seconds < self.args.seconds:
            started = time.monotonic()
            losses.append(self.take_step())
            now = time.monotonic()
            self.seconds += self.pace.counted(now - started)
            if now - last_log > LOG_EVERY:
                log_line(
                    self.args.work / "vae_log.jsonl",
                    stage="decoder" if self.args.decoder_only else "vae",
                    step=self.step,
                    pictures=self.pictures,
                    seconds=round(self.seconds),
                    loss=round(float(np.mean(losses)), 5),
                    psnr=round(self.quality(), 3),
                    rate=round(self.muon.param_groups[0]["lr"], 6),
                )
                losses.clear()
                last_log = time.monotonic()
            if now - last_save > SAVE_EVERY:
                self.save()
                last_save = time.monotonic()
        self.save()
        print(f"{self.step} steps, {self.pictures} pictures, {self.quality():.2f} dB")


def main() -> None:
    """Run the stage."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pool", type=Path, required=True, help="folder made by compose.py")
    parser.add_argument("--work", type=Path, required=True, help="folder for checkpoints and log")
    parser.add_argument("--seconds", type=float, default=1800, help="length of the whole schedule")
    parser.add_argument("--batch", type=int, default=8, help="pictures a step")
    parser.add_argument("--rate", type=float, default=1e-3, help="peak rate of AdamW")
    parser.add_argument("--muon-rate", type=float, default=1e-2, help="peak rate of Muon")
    parser.add_argument("--start", type=Path, help="an exported model to begin with")
    parser.add_argument("--noise", type=float, default=0.05, help="noise on latents, in their std")
    parser.add_argument("--squared", type=float, default=3, help="weight of squared errors")
    parser.add_argument("--psnr", type=float, default=0, help="weight of the error's logarithm")
    parser.add_argument("--decoder-only", action="store_true", help="keep the encoder as it is")
    parser.add_argument("--redrawn", type=Path, help="latents made by redraw_pool.py")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    if args.redrawn and not args.decoder_only:
        parser.error("--redrawn needs --decoder-only: an encoder has no part in these latents")
    Run(args).train()


if __name__ == "__main__":
    main()
