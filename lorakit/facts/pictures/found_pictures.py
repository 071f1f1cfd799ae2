"""A picture as it was found, in a folder or a table, before its caption is made."""

from __future__ import annotations

from pathlib import Path

from lorakit.records import record

USUAL_CAPTIONS = ("text", "caption", "prompt")  # columns
SAME_WORDS = "give all the same words, without {caption}: caption: a picture in my style"


@record
class Found:
    """A picture: its name in its data set, its file and digest, (width, height) in px as it is seen.

    `caption` is its own, None for none. `mask` is a picture of its mask, or its own file where it is
    transparent in parts. `converted` is whether its colours are turned into 8 bits of sRGB; `repeats` how
    often its folder's name has it shown in an epoch; `several` whether its first frame or page alone is read.
    """

    name: str
    file: Path
    digest: str
    size: tuple[int, int]
    caption: str | None
    mask: Path | None = None
    mask_digest: str = ""
    converted: bool = False
    repeats: int = 1
    several: bool = False
