"""A picture as it was found, in a folder or a table, before its caption is made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import IO

from lorakit.facts.data_sets import DataError

USUAL_CAPTIONS = ("text", "caption", "prompt")  # columns
SAME_WORDS = "give all the same words, without {caption}: caption: a picture in my style"
_ORIENTATION = 274  # EXIF's tag; 5 to 8 stand on their side


@dataclass(frozen=True, slots=True)
class Found:
    """A picture: its name in its data set, its file and digest, (width, height) in px as it is seen.

    `caption` is its own, None for none. `mask` is a picture of its mask, or its own file where it is
    transparent in parts.
    """

    name: str
    file: Path
    digest: str
    size: tuple[int, int]
    caption: str | None
    mask: Path | None = None
    mask_digest: str = ""


def look_at(file: Path | IO[bytes], name: str) -> tuple[tuple[int, int], bool]:
    """(Width, height) as the picture is seen, and whether it may be transparent. Raises DataError."""
    from PIL import Image

    try:
        with Image.open(file) as picture:
            width, height = picture.size
            turned = picture.getexif().get(_ORIENTATION, 1) >= 5
            clear = picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info
    except (OSError, Image.DecompressionBombError) as error:
        raise DataError("data", "images", f"{name} cannot be opened: {error}") from error
    return ((height, width) if turned else (width, height)), clear
