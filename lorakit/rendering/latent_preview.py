"""Small pictures of frames on their way, at no cost of the autoencoder: a linear map from latents to colours.

Each position of an autoencoder's latents tells the mean colour of the pixels it stands for, to good
approximation linearly. Tools ship that map as a table for each autoencoder; here it is found by least squares
from the frames that were drawn (latents beside the decoded picture), for whatever model it is, and kept
for all of a user's projects, so that the first frame of the next run has previews as well.
"""

from __future__ import annotations

import contextlib
import io
import math
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from lorakit.plan.engine_specs import DrawingSpec
from lorakit.store import sealed
from lorakit.store.canonical import digest_of

FILE = "previews.json"
_SIDE = 256  # px of a preview's longer side, at the most
_MANY = 64  # models that are remembered
_ENOUGH = 8  # frames that are learnt from, in one process: more would tell nothing new
_RIDGE = 1e-4  # so that a channel that never changes divides nothing by nothing


class LatentPreview:
    """What one model's latents look like; `file` is None where nothing is to be kept."""

    def __init__(self, spec: DrawingSpec) -> None:
        self._file = Path(spec.batch_sizes).with_name(FILE) if spec.batch_sizes else None
        self._model = digest_of({"model": spec.digest or spec.name, "family": spec.family})
        self._sums: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None
        self._learnt = 0
        self._map: NDArray[np.float64] | None = None
        self._asked = False

    def learn(self, latents: Tensor, picture: Image.Image) -> None:
        """Take in a finished frame: latents (1, C, h, w) on the CPU, and the picture they were decoded to."""
        latents = _grid(latents, picture.width / picture.height)
        if self._learnt >= _ENOUGH or latents.dim() != 4:
            return
        self._learnt += 1
        high, wide = latents.shape[-2:]
        values = _rows(latents)
        colors = np.asarray(
            picture.convert("RGB").resize((wide, high), Image.Resampling.BOX), np.float64
        ).reshape(-1, 3)
        both = values.T @ values, values.T @ colors
        before = self._sums or (np.zeros_like(both[0]), np.zeros_like(both[1]))
        self._sums = before[0] + both[0], before[1] + both[1]
        least = _RIDGE * np.trace(self._sums[0]) / len(self._sums[0]) * np.eye(len(self._sums[0]))
        self._map, self._asked = np.linalg.solve(self._sums[0] + least, self._sums[1]), True
        self._keep()

    def picture(self, latents: Tensor, ratio: float = 1.0) -> bytes | None:
        """A WebP of latents (1, C, h, w) at any step, noise and all; None before a frame was learnt from.

        Latents in a row, (1, h * w, C), are laid out by the picture's `ratio` of width to height.
        How far they spread depends on the scheduler and the step; a picture's would be 1 in each channel or
        near it, so they are brought there.
        """
        if not self._asked:
            self._map, self._asked = self._kept(), True
        if self._map is None:
            return None
        latents = _grid(latents.detach().float().cpu(), ratio)
        if latents.dim() != 4:
            return None
        values = _rows(latents / latents.std().clamp_min(1.0))
        if values.shape[1] != len(self._map) or not np.isfinite(values).all():
            return None
        high, wide = latents.shape[-2:]
        colors = (values @ self._map).clip(0, 255).reshape(high, wide, 3).astype(np.uint8)
        scale = max(1, _SIDE // max(high, wide))
        shown = Image.fromarray(colors).resize(
            (wide * scale, high * scale), Image.Resampling.BICUBIC
        )
        data = io.BytesIO()
        shown.save(data, "WEBP", quality=80)
        return data.getvalue()

    def _keep(self) -> None:
        if self._file is None or self._map is None:
            return
        with contextlib.suppress(OSError):
            known = {**_read(self._file), self._model: self._map.tolist()}
            sealed.write(self._file, dict(list(known.items())[-_MANY:]))

    def _kept(self) -> NDArray[np.float64] | None:
        kept = _read(self._file).get(self._model) if self._file is not None else None
        try:
            found = np.asarray(kept, np.float64)
        except (TypeError, ValueError):
            return None
        return (
            found if found.ndim == 2 and found.shape[1] == 3 and np.isfinite(found).all() else None
        )


def _grid(latents: Tensor, ratio: float) -> Tensor:
    """Latents that some pipelines keep in a row, line by line, as (1, C, h, w); others as they are."""
    if latents.dim() != 3:
        return latents
    high = max(1, round(math.sqrt(latents.shape[1] / ratio)))
    if latents.shape[1] % high:
        return latents
    return latents.transpose(1, 2).unflatten(2, (high, -1))


def _rows(latents: Tensor) -> NDArray[np.float64]:
    """Latents (1, C, h, w) as (h * w, C + 1): a row a position, with a 1 for what all have in common."""
    channels = latents.shape[1]
    values = latents[0].reshape(channels, -1).T.to(torch.float64).numpy()
    return np.concatenate([values, np.ones((len(values), 1))], axis=1)


def _read(file: Path) -> dict[str, object]:
    data = sealed.read(file)
    return data if isinstance(data, dict) else {}
