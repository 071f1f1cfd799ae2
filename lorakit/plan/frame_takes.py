"""The takes of a frame as they were drawn: what somebody looks at who decides on it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from lorakit.language.story.decisions import FrameName
from lorakit.records import record


class Take(NamedTuple):
    """A take of a frame as it was drawn; `picture` is its file in the store, None where it is not drawn."""

    number: int
    picture: Path | None
    digest: str
    key: str


@record
class FrameTakes:
    """A frame with its takes; `chosen` is the one that stands for it, `stale` a pick that is not followed.

    `held` is whether it is approved, `changed` whether that keeps it from what its inputs have come to.
    """

    name: FrameName
    caption: str
    takes: tuple[Take, ...]
    chosen: int
    picked: int | None = None
    stale: bool = False
    held: bool = False
    changed: bool = False
