"""The task of joining pictures to a film."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from lorakit.plan.tasks.task import WorkerTask


@dataclass(frozen=True, slots=True)
class FilmShot:
    """The input whose picture is shown, for so many frames, over its caption."""

    picture: str
    frames: int
    caption: str


@dataclass(frozen=True, slots=True)
class FilmCaptions:
    """Where captions stand, and how high their letters are."""

    position: Literal["bottom", "top"]
    size: float


@dataclass(frozen=True, slots=True)
class FilmTask(WorkerTask):
    """A film `height` px high; without `captions` none are shown."""

    kind: ClassVar[str] = "film"
    version: ClassVar[int] = 1
    unit: ClassVar[str] = "film frame"
    title: ClassVar[str] = "film"

    fps: int
    height: int
    transition_frames: int
    captions: FilmCaptions | None
    shots: tuple[FilmShot, ...]
