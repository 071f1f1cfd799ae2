"""Pictures as latents, captions as embeds: computed once, before the first step."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

Moments = tuple[
    Tensor, Tensor | None
]  # mean and standard deviation; None where the VAE has no spread


def pixels(file: Path, size: tuple[int, int], *, flip: bool = False) -> Tensor:
    """A picture as (1, 3, H, W) in -1..1: upright, on white where clear, cut to `size` at its middle."""
    with Image.open(file) as opened:
        picture = ImageOps.exif_transpose(opened)
        if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
            picture = picture.convert("RGBA")
            ground = Image.new("RGBA", picture.size, "white")
            picture = Image.alpha_composite(ground, picture)
        picture = ImageOps.fit(picture.convert("RGB"), size, Image.Resampling.LANCZOS)
    if flip:
        picture = ImageOps.mirror(picture)
    values = torch.from_numpy(np.asarray(picture, dtype=np.float32) / 127.5 - 1)
    return values.permute(2, 0, 1)[None].contiguous()


@torch.no_grad()
def encode(vae: Any, picture: Tensor) -> Moments:
    """Scaled latents of one picture: (1, C, h, w) mean, and its spread where the VAE has one."""
    found = vae.encode(picture.to(vae.device, vae.dtype))
    scale, shift = vae.config.scaling_factor, getattr(vae.config, "shift_factor", None) or 0.0
    if hasattr(found, "latents"):  # AutoencoderTiny: a point, no distribution
        return ((found.latents.float() - shift) * scale).cpu().clone(), None
    spread = found.latent_dist
    mean = ((spread.mean.float() - shift) * scale).cpu().clone()
    return mean, (spread.std.float() * scale).cpu().clone()


def stacked(moments: Sequence[Moments]) -> dict[str, Tensor]:
    """A batch of latents of one bucket: `mean` (B, C, h, w), and `std`, where there is one."""
    batch = {"mean": torch.cat([mean for mean, _ in moments])}
    spreads = [std for _, std in moments if std is not None]
    if spreads:
        batch["std"] = torch.cat(spreads)
    return batch
