"""A picture of a data set, and all of one."""

from __future__ import annotations

from pathlib import Path

from lorakit.records import record


@record
class Picture:
    """One picture: its file, what the model is told of it, (width, height) in px as it is seen.

    `name` is its path inside its data set, `digest` of its bytes, `own` its own caption, None for none.
    `mask` is a picture whose white parts are learnt from, or the picture itself where it is transparent in
    parts; None for none. `converted` is whether its colours are turned into 8 bits of sRGB, `repeats` how
    often its folder has it shown, `several` whether it is animated or has several pages.
    """

    file: Path
    caption: str
    size: tuple[int, int]
    name: str = ""
    digest: str = ""
    mask: Path | None = None
    mask_digest: str = ""
    converted: bool = False
    repeats: int = 1
    several: bool = False
    own: str | None = None


@record
class PictureFacts:
    """A data set of pictures; `digest` is of files' contents and captions, None until it is downloaded."""

    digest: str | None
    pictures: tuple[Picture, ...] = ()
