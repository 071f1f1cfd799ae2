"""A picture in a terminal: two pixels to a cell, as half blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorakit.facts.pictures.open_picture import PictureError, rgb

if TYPE_CHECKING:
    from pathlib import Path

    from rich_pixels import Pixels


def thumbnail(path: Path, columns: int, rows: int) -> tuple[Pixels, int] | None:
    """Draw a picture in at most `columns` by `rows` cells; with it comes the width it takes.

    None where it cannot be read: a picture may be on its way to the disk still.
    """
    from PIL import Image
    from rich_pixels import Pixels

    try:
        picture = rgb(path, ground="black")
    except PictureError:
        return None
    scale = min(columns / picture.width, 2 * rows / picture.height)
    wide = max(1, round(picture.width * scale))
    high = max(2, round(picture.height * scale / 2) * 2)
    return Pixels.from_image(picture.resize((wide, high), Image.Resampling.HAMMING)), wide
