"""What a model is shown of a picture: upright, in sRGB, cut to a size. Trainings and previews ask here."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lorakit.facts.pictures.open_picture import seen

if TYPE_CHECKING:
    from typing import IO

    from PIL.Image import Image

MIDDLE = (0.5, 0.5)
_SPARE = 1.5  # times as many pixels across as are needed, so that it is as sharp


class CropLoss(NamedTuple):
    """What a picture becomes: the share of it that is cut away, and how many times larger it is drawn."""

    lost: float
    scale: float


def cut_of(picture: tuple[int, int], size: tuple[int, int]) -> CropLoss:
    """What becomes of a picture of (width, height) px that is cut to `size`."""
    scale = max(size[0] / picture[0], size[1] / picture[1])
    kept = size[0] * size[1] / (picture[0] * picture[1] * scale**2)
    return CropLoss(max(0.0, 1 - kept), scale)


def cut(
    file: Path | IO[bytes],
    size: tuple[int, int],
    *,
    name: str = "",
    flip: bool = False,
    at: tuple[float, float] = MIDDLE,
    reduced: bool = False,
) -> Image:
    """A picture as RGB of sRGB at `size`: upright, on white where clear. Raises PictureError.

    To be called within `quietly`, which several threads share.
    `at` says where it is cut out: 0 at its left and top, 1 at its right and bottom. `reduced` decodes a large
    JPEG in a fraction of its pixels, still more than `size` has: quicker, and the same to the eye.
    """
    from PIL import Image, ImageOps

    def enough(whole: tuple[int, int]) -> tuple[int, int]:
        scale = cut_of(whole, size).scale * _SPARE
        return math.ceil(whole[0] * scale), math.ceil(whole[1] * scale)

    whole = seen(file, name, enough=enough if reduced else None)
    made = ImageOps.fit(whole, size, Image.Resampling.LANCZOS, centering=at)
    return ImageOps.mirror(made) if flip else made
