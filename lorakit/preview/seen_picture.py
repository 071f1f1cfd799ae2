"""One picture as a training sees it, and those that are like it."""

from __future__ import annotations

from pathlib import Path

from lorakit.preview.alike import How
from lorakit.preview.thumbnails import Thumbnail
from lorakit.records import record


@record
class SeenPicture:
    """One picture: its size and the one it is trained at in px, the share cut away, how much it is enlarged.

    `caption` is what the model is told, `own` what stands with the picture; `tokens` None where no tokenizer
    is here. `held_out` pictures are measured by; `repeats` is how often an epoch shows it.
    """

    name: str
    file: Path
    size: tuple[int, int]
    bucket: tuple[int, int]
    lost: float
    scale: float
    caption: str
    own: str | None
    tokens: int | None
    thumbnail: Thumbnail
    repeats: int = 1
    held_out: bool = False
    converted: bool = False
    several: bool = False
    mask: bool = False


@record
class Alike:
    """Pictures that are the same or nearly, the largest first; `how` each is like that one, itself None.

    `doubles` are how many could go without a loss: a mirrored one is another picture.
    """

    names: tuple[str, ...]
    how: tuple[How | None, ...]
    doubles: int
