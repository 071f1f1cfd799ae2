"""The task of joining pictures to a film."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from lorakit.facts.fonts.fallbacks import Fallback
from lorakit.language.story.documents import FilmFormat, Video
from lorakit.plan.tasks.json_form import OMITTED
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
    """A film `height` px high; without `captions` none are shown.

    Where it has a `width` as well, pictures fill it, and what stands over is cut off. `fallbacks` are fonts
    for what the shipped one lacks of the captions.
    """

    kind: ClassVar[str] = "film"
    version: ClassVar[int] = 2  # 1 was encoded in each CPU's own way
    unit: ClassVar[str] = "film frame"
    title: ClassVar[str] = "film"

    fps: int
    height: int
    transition_frames: int
    captions: FilmCaptions | None
    shots: tuple[FilmShot, ...]
    width: int | None = field(default=None, metadata=OMITTED)
    fallbacks: tuple[Fallback, ...] = field(default=(), metadata=OMITTED)
    format: FilmFormat = field(default="mp4", metadata=OMITTED)

    @property
    def file(self) -> str:
        """What the film's file is called."""
        return f"film.{self.format}"

    @classmethod
    def of(
        cls,
        video: Video,
        size: tuple[int | None, int],
        shots: tuple[FilmShot, ...],
        fallbacks: tuple[Fallback, ...],
    ) -> FilmTask:
        """The task of a document's film: `size` px, the width None where it is the pictures'."""
        captions, fades = video.captions, video.transition.kind == "crossfade"
        return cls(
            fps=video.fps,
            height=size[1],
            width=size[0],
            transition_frames=video.transition.seconds.in_frames(video.fps) if fades else 0,
            captions=FilmCaptions(captions.position, captions.size) if captions.show else None,
            shots=shots,
            fallbacks=fallbacks,
            format=video.format,
        )
