"""Train a decoder alone with a loss that does not reward the mean: ``WORK/crisp.pt``.

    python studio/train_crisp.py --pool POOL --work WORK --start studio/model --seconds 2400
    python studio/train_crisp.py --work WORK --start studio/model --export OUT

Where a latent leaves open which of several pictures was meant, squared errors ask for their mean, which
is soft.  Here a small network of patches, trained beside it, tells decoded pictures from composed ones
(hinge loss; as in VQGAN its gradient at the last layer is scaled to that of the other
losses); its features, and those of the studio's judge at 32 to 8 places a side, are to agree with
the composed picture's.  Pixels count as L1, with their differences; where the latents were drawn
again by a diffusion model (redraw_pool.py), chiefly as means over 4x4.

It learns on crops, for a decoder is convolutional: 9x9 latents around something that is there, of whose
72x72 pixels the outer ones, which lack what is beyond, are not looked at.  Latents and everything else
of the model stay as they are: ``--export`` copies it and writes this decoder over its own.
"""

from __future__ import annotations

import argparse
import json
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from common import (
    Ema,
    Pace,
    load_checkpoint,
    log_line,
    open_pool,
    save_checkpoint,
    set_up_torch,
    to_pictures,
)
from crisp import Patches, feature_loss, judge_features, pixel_loss
from diffusers import AutoencoderTiny
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor
from train_vae import psnr, rate_factor

from lorakit.rendering.judge import load_judge

LOG_EVERY, SAVE_EVERY, BALANCE_EVERY = 50, 100, 8  # steps
HELD_OUT = 64  # the first pictures of a pool are never trained on
CELL, CROP, MARGIN = 8, 9, 4  # pixels a latent; latents a side; pixels not looked at
SHIFT = 4  # pixels, at most, that the adversary looks aside: no pattern keeps step with its strides
CPU = torch.device("cpu")


def corner(marks: NDArray[np.uint8], chance: np.random.Generator) -> tuple[int, int]:
    """Upper left (row, column) of a crop of latents in which something marked (16, 16) lies."""
    weights = marks.ravel() / 255 + 0.02  # things and hats, the small ones, are marked most
    row, column = divmod(int(chance.choice(weights.size, p=weights / weights.sum())), 16)
    reach = chance.integers(0, CROP, 2)
    rows, columns = (int(v) for v in np.clip((row, column) - reach, 0, 16 - CROP))
    return rows, columns


class Run:
    """A decoder, the network it is held against, optimizers, and how far they are."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        set_up_torch(args.seed)
        self.pool = open_pool(args.pool)
        self.marks = np.load(args.pool / "marks.npy", mmap_mode="r")
        self.encoded = np.load(args.work / "latents.npy", mmap_mode="r")
        self.redrawn = np.load(args.work / "redrawn.npy", mmap_mode="r")
        self.held_out = to_pictures(self.pool[:HELD_OUT], CPU)
        vae = AutoencoderTiny.from_pretrained(args.start / "vae", torch_dtype=torch.float32)
        self.vae = vae.to(memory_format=torch.channels_last)
        self.vae.encoder.requires_grad_(False)
        self.trunk = load_judge().net.trunk.requires_grad_(False)
        self.patches = Patches().to(memory_format=torch.channels_last)
        betas = (0.0, 0.99)
        self.optimizer = torch.optim.Adam(self.vae.decoder.parameters(), args.rate, betas)
        self.other = torch.optim.Adam(self.patches.parameters(), args.patch_rate, betas)
        self.ema = Ema(self.vae.decoder, decay=0.995)
        self.step, self.seconds = 0, 0.0
        self.weight = 0.0  # of the adversary
        self.pace = Pace()
        self.checkpoint: Path = args.work / "crisp.pt"
        if self.checkpoint.exists():
            self.resume()
        self.chance = np.random.default_rng(args.seed + self.step)

    def resume(self) -> None:
        """Go on from the checkpoint."""
        state = load_checkpoint(self.checkpoint)
        self.step, self.seconds = state["step"], state["seconds"]
        self.vae.decoder.load_state_dict(state["decoder"])
        self.patches.load_state_dict(state["patches"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.other.load_state_dict(state["other"])
        self.ema.load(state["ema"])

    def save(self) -> None:
        """Write the checkpoint."""
        state = {
            "decoder": self.vae.decoder.state_dict(),
            "patches": self.patches.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "other": self.other.state_dict(),
            "ema": self.ema.state(),
            "step": self.step,
            "pictures": self.step * self.args.batch,
            "seconds": self.seconds,
        }
        save_checkpoint(self.checkpoint, state)

    def batch(self) -> tuple[Tensor, Tensor, int]:
        """Latents (B, 16, 9, 9), their pictures (B, 3, 64, 64), and how many of the first are redrawn."""
        redrawn = round(self.args.batch * self.args.redrawn)
        latents, pictures = [], []
        for number in range(self.args.batch):
            source = self.redrawn if number < redrawn else self.encoded
            row = int(self.chance.integers(HELD_OUT, len(source)))
            top, left = corner(self.marks[row], self.chance)
            latents.append(source[row][:, top : top + CROP, left : left + CROP])
            top, left, side = top * CELL + MARGIN, left * CELL + MARGIN, CROP * CELL - 2 * MARGIN
            pictures.append(self.pool[row][top : top + side, left : left + side])
        known = torch.from_numpy(np.stack(latents).astype(np.float32))
        noise = torch.randn_like(known) * known.std() * self.args.noise
        return known + noise, to_pictures(np.stack(pictures), CPU), redrawn

    def take_step(self, first: bool = False) -> dict[str, float]:
        """Learn from one batch, the patches first, or, at ``first``, alone; give the losses."""
        factor = rate_factor(self.step, self.seconds / self.args.seconds)
        self.optimizer.param_groups[0]["lr"] = self.args.rate * factor
        self.other.param_groups[0]["lr"] = self.args.patch_rate * (1.0 if first else factor)
        latents, wanted, redrawn = self.batch()
        with torch.set_grad_enabled(not first):
            made = self.vae.decoder(latents.contiguous(memory_format=torch.channels_last))
        made = made[..., MARGIN:-MARGIN, MARGIN:-MARGIN]

        self.patches.requires_grad_(True)
        down, right = (int(v) for v in self.chance.integers(0, SHIFT, 2))
        near = (..., slice(down, down - SHIFT), slice(right, right - SHIFT))
        real, false = self.patches(torch.cat([wanted, made.detach()])[near])[0].chunk(2)
        told = F.relu(1 - real).mean() + F.relu(1 + false).mean()
        told.backward()
        self.other.step()
        self.other.zero_grad()
        if first:
            return {"told": float(told.detach())}

        self.patches.requires_grad_(False)
        with torch.no_grad():
            known = [self.patches(wanted[near])[1], judge_features(self.trunk, wanted)]
        verdict, features = self.patches(made[near])
        pixels = pixel_loss(made, wanted, redrawn)
        matched = feature_loss(features, known[0])
        judged = feature_loss(judge_features(self.trunk, made), known[1])
        plain = pixels + self.args.matched * matched + self.args.judged * judged
        fooled = -verdict.mean()
        if self.step % BALANCE_EVERY == 0 or not self.weight:
            self.weight = self.args.adversarial * self.balance(plain, fooled)
        loss = plain + self.weight * fooled
        if not torch.isfinite(loss):
            raise RuntimeError(f"the loss is not finite at step {self.step}")
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.vae.decoder.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.ema.update(self.vae.decoder)
        self.step += 1
        found = {"pixels": pixels, "matched": matched, "judged": judged, "told": told}
        return {name: float(value.detach()) for name, value in found.items()}

    def balance(self, plain: Tensor, fooled: Tensor) -> float:
        """How much larger the gradient of ``plain`` is than that of ``fooled`` at the last layer."""
        weight = self.vae.decoder.layers[-1].weight
        norms = [
            float(torch.autograd.grad(loss, weight, retain_graph=True)[0].norm())
            for loss in (plain, fooled)
        ]
        return min(norms[0] / (norms[1] + 1e-6), 100.0) * min(1.0, self.step / 50)

    def quality(self) -> float:
        """PSNR in dB of the round trip with averaged weights, on pictures never trained on."""
        with self.ema.applied_to(self.vae.decoder):
            return psnr(self.vae, self.held_out[:16])

    def train(self) -> None:
        """Train until the schedule's time is spent."""
        found: list[dict[str, float]] = []
        if not self.step:  # an adversary that knows nothing only adds noise
            head = [self.take_step(first=True)["told"] for _ in range(self.args.head_start)]
            print(f"told apart: {head[:20]} .. {head[-20:]}", flush=True)
        while self.seconds < self.args.seconds:
            started = time.monotonic()
            found.append(self.take_step())
            self.seconds += self.pace.counted(time.monotonic() - started)
            if self.step % LOG_EVERY == 0:
                means: dict[str, Any] = {
                    name: round(float(np.mean([one[name] for one in found])), 4)
                    for name in found[0]
                }
                log_line(
                    self.args.work / "crisp_log.jsonl",
                    step=self.step,
                    pictures=self.step * self.args.batch,
                    seconds=round(self.seconds),
                    psnr=round(self.quality(), 3),
                    **means,
                )
                found.clear()
            if self.step % SAVE_EVERY == 0:
                self.save()
        self.save()


def export(work: Path, start: Path, out: Path, part: float) -> None:
    """Copy the model ``start`` to ``out``; its decoder goes ``part`` of the way to ``WORK/crisp.pt``.

    Between two weights of one descent lie decoders that are sharper than the one and calmer than the other.
    """
    state = load_checkpoint(work / "crisp.pt")
    shutil.copytree(start, out, dirs_exist_ok=True)
    path = out / "vae" / "diffusion_pytorch_model.safetensors"
    weights = load_file(start / "vae" / path.name)
    for name, value in state["ema"]["weights"].items():
        old = weights[f"decoder.{name}"].float()
        weights[f"decoder.{name}"] = old.lerp(value, part).half().contiguous()
    save_file(weights, path, metadata={"format": "pt"})
    print(json.dumps({"folder": str(out), "step": state["step"], "pictures": state["pictures"]}))


def main() -> None:
    """Run the stage."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pool", type=Path, help="folder made by compose.py")
    parser.add_argument(
        "--work", type=Path, required=True, help="latents.npy, redrawn.npy, crisp.pt"
    )
    parser.add_argument("--start", type=Path, default=Path(__file__).with_name("model"))
    parser.add_argument(
        "--export", type=Path, help="write the model with this decoder here instead"
    )
    parser.add_argument("--part", type=float, default=1.0, help="how far to go for --export")
    parser.add_argument("--seconds", type=float, default=2400, help="length of the whole schedule")
    parser.add_argument("--batch", type=int, default=8, help="crops a step")
    parser.add_argument("--redrawn", type=float, default=0.6, help="share of crops drawn again")
    parser.add_argument("--rate", type=float, default=2e-4, help="peak rate of the decoder")
    parser.add_argument("--patch-rate", type=float, default=1e-3, help="and of its adversary")
    parser.add_argument("--head-start", type=int, default=250, help="steps of the adversary alone")
    parser.add_argument("--noise", type=float, default=0.01, help="noise on latents, in their std")
    parser.add_argument("--adversarial", type=float, default=0.1, help="weight, of all others")
    parser.add_argument("--matched", type=float, default=0.3, help="weight of patches' features")
    parser.add_argument("--judged", type=float, default=0.1, help="weight of the judge's features")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    if args.export:
        export(args.work, args.start, args.export, args.part)
    elif not args.pool:
        parser.error("training needs --pool")
    else:
        Run(args).train()


if __name__ == "__main__":
    main()
