"""Pictures as latents, read back when a batch needs them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from lorakit.facts.pictures.cut_picture import cut
from lorakit.facts.pictures.open_picture import header, levels, quietly
from lorakit.models.autoencoders import latents_of
from lorakit.training import canonical

_KEPT = 1 << 30  # bytes of encodings that stay in memory


def pixels(
    file: Path,
    size: tuple[int, int],
    *,
    flip: bool = False,
    at: tuple[float, float] = (0.5, 0.5),
) -> Tensor:
    """A picture as (1, 3, H, W) in -1..1 of sRGB: upright, on white where clear, cut to `size`.

    `at` says where it is cut out: 0 at its left and top, 1 at its right and bottom.
    """
    with quietly():
        picture = cut(file, size, flip=flip, at=at)
    values = torch.from_numpy(np.asarray(picture, dtype=np.float32) / 127.5 - 1)
    return values.permute(2, 0, 1)[None].contiguous()


def mask_of(
    file: Path,
    like: Path,
    size: tuple[int, int],
    *,
    flip: bool,
    at: tuple[float, float],
    factor: int,
) -> Tensor:
    """A mask as (1, 1, h, w) in 0..1 at the latents' size: how much of each latent's square is white.

    `file` is the mask of the picture `like`, or the picture itself, whose transparency is its mask.
    """
    with quietly():
        seen = header(like, str(like)).size
    mask = levels(file, alpha=file == like)
    mask = mask.resize(seen, Image.Resampling.BILINEAR)
    mask = ImageOps.fit(mask, size, Image.Resampling.BILINEAR, centering=at)
    if flip:
        mask = ImageOps.mirror(mask)
    values = torch.from_numpy(np.asarray(mask, dtype=np.float32) / 255)
    return torch.nn.functional.avg_pool2d(values[None, None], factor)


@torch.inference_mode()
def encode(vae: Any, views: Sequence[Tensor]) -> dict[str, Tensor]:
    """Scaled latents of a picture's views, each by itself: `mean` and `logvar`, (V, C, h, w).

    A VAE that gives points has no `logvar`; see `latents_of`.
    """
    found = [latents_of(vae, view) for view in views]
    tensors = {"mean": torch.cat([mean for mean, _ in found]).cpu().clone()}
    spreads = [logvar for _, logvar in found if logvar is not None]
    if spreads:
        tensors["logvar"] = torch.cat(spreads).cpu().clone()
    return tensors


@dataclass(slots=True)
class Encodings:
    """What actions before this one encoded, by file; kept in memory as long as there is room."""

    _files: dict[str, Mapping[str, Tensor]] = field(default_factory=dict)
    _bytes: int = 0

    def __call__(self, file: str) -> Mapping[str, Tensor]:
        """The tensors of a file. Raises OSError."""
        if file in self._files:
            return self._files[file]
        tensors, _ = canonical.read(Path(file))
        self._bytes += sum(t.numel() * t.element_size() for t in tensors.values())
        if self._bytes <= _KEPT:
            self._files[file] = tensors
        return tensors
