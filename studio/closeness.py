"""How close a drawn picture comes to composed ones: likeness, sharpness, and a distance of kinds.

The reference is the world's own art.  What a composed picture of the same sentence shows of a
character or thing is laid over the drawn picture at every place; where the error inside its mask is
least, there it stands.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from figures import Interval, bootstrap
from looks import Look
from numpy.typing import NDArray
from painting import Art, Stage, set_stage
from scenes import Scene
from torch import Tensor

LAYOUTS = 24  # composed pictures of a sentence among which the nearest sprite is looked for
BLOCK = 50  # pictures in one estimate of the kernel distance
LIGHT = torch.tensor((0.299, 0.587, 0.114))  # lightness of red, green, blue


@dataclass(frozen=True)
class Template:
    """What of a sprite is seen: colours (3, h, w) in 0..1 and a mask (h, w) of 0 and 1."""

    colours: Tensor
    mask: Tensor


@dataclass(frozen=True)
class Match:
    """Where a template fits best: its upper left corner as (x, y), and how well.

    ``psnr`` is in dB inside the mask; ``sharpness`` is the picture's gradient energy there over the
    template's own.
    """

    place: tuple[int, int]
    psnr: float
    sharpness: float


def to_tensor(picture: NDArray[np.uint8]) -> Tensor:
    """(H, W, 3) uint8 -> (3, H, W) in 0..1."""
    return torch.from_numpy(np.array(picture, np.float32) / 255).permute(2, 0, 1)


def seen_of(stage: Stage, number: int) -> Template | None:
    """What a stage shows of its figure ``number``; None where others hide more than half of it."""
    mine = stage.owners() == number
    whole = int(stage.figures[number].solid().sum())
    if mine.sum() * 2 < whole:
        return None
    rows, columns = np.flatnonzero(mine.any(1)), np.flatnonzero(mine.any(0))
    box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    colours = to_tensor(np.asarray(stage.image)[box])
    return Template(colours, torch.from_numpy(mine[box].astype(np.float32)))


def templates(scene: Scene, code: str, art: Art, look: Look) -> list[Template]:
    """What composed pictures of a scene show of a character or thing, each size and side once."""
    chance = random.Random(scene.layout)
    found: dict[bytes, Template] = {}
    for _ in range(LAYOUTS):
        other = dataclasses.replace(scene, layout=chance.getrandbits(48))
        stage = set_stage(other, art, look=look)
        number = next(n for n, figure in enumerate(stage.figures) if figure.code == code)
        template = seen_of(stage, number)
        if template is not None:
            found.setdefault(template.mask.numpy().tobytes(), template)
    return list(found.values())


def energy(colours: Tensor, mask: Tensor) -> float:
    """Sum of squared differences of lightness between neighbours that are both inside the mask."""
    light = torch.einsum("chw,c->hw", colours, LIGHT)
    across = (light[:, 1:] - light[:, :-1]) * mask[:, 1:] * mask[:, :-1]
    down = (light[1:] - light[:-1]) * mask[1:] * mask[:-1]
    return float(across.pow(2).sum() + down.pow(2).sum())


def errors_at(picture: Tensor, template: Template) -> Tensor:
    """(rows, columns): squared error inside the mask with the template's corner at each pixel."""
    size = picture.shape[-2:]
    mask = torch.fft.rfft2(template.mask, size).conj()
    drawn = torch.fft.rfft2(template.colours * template.mask, size).conj()
    power = torch.fft.irfft2(torch.fft.rfft2(picture.pow(2).sum(0)) * mask, size)
    cross = torch.fft.irfft2((torch.fft.rfft2(picture) * drawn).sum(0), size)
    own = (template.colours.pow(2) * template.mask).sum()
    height, width = template.mask.shape
    errors = power - 2 * cross + own
    return errors[: size[0] - height + 1, : size[1] - width + 1].clamp_min(0)


def best_match(picture: Tensor, candidates: Sequence[Template]) -> Match:
    """The nearest of some templates, (3, H, W) in 0..1."""
    best: tuple[float, int, int, Template] | None = None
    for template in candidates:
        errors = errors_at(picture, template) / (3 * template.mask.sum())
        flat = int(errors.argmin())
        row, column = divmod(flat, errors.shape[1])
        error = float(errors[row, column])
        if best is None or error < best[0]:
            best = (error, row, column, template)
    if best is None:
        raise ValueError("there is no template to compare with")
    error, row, column, template = best
    height, width = template.mask.shape
    here = picture[:, row : row + height, column : column + width]
    own = energy(template.colours, template.mask)
    sharpness = energy(here, template.mask) / max(own, 1e-9)
    return Match((column, row), -10 * float(np.log10(max(error, 1e-10))), sharpness)


def kernel_distance(drawn: NDArray[np.float32], composed: NDArray[np.float32]) -> Interval:
    """KID: the unbiased squared MMD under (x.y / d + 1)^3, its mean over blocks; both (N, d).

    Row n of both may be of one sentence: such pairs are alike by more than kind, and left out.
    """
    count = min(len(drawn), len(composed))
    blocks = np.array_split(np.arange(count), max(1, count // BLOCK))
    return bootstrap([_squared_mmd(drawn[rows], composed[rows]) for rows in blocks])


def _squared_mmd(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    def apart(left: NDArray[np.float32], right: NDArray[np.float32]) -> float:
        kernel = (left.astype(np.float64) @ right.T / left.shape[1] + 1) ** 3
        count = len(kernel)
        return float((kernel.sum() - np.trace(kernel)) / (count * (count - 1)))

    return apart(a, a) + apart(b, b) - 2 * apart(a, b)
