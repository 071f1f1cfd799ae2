"""The task of a film's subtitles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import ClassVar

from lorakit.plan.tasks.json_form import OMITTED
from lorakit.plan.tasks.task import WorkerTask
from lorakit.records import record


@record
class Subtitle:
    """A text that stands for so many film frames; an empty one says nothing."""

    text: str
    frames: int


@record
class SubtitlesTask(WorkerTask):
    """What a film says, as SubRip and as WebVTT.

    `rate` is film frames a second, as a fraction; `on_top` has WebVTT's texts at the top of the picture.
    How long each text stands is said by the input `timing` where it is `timed`.
    """

    kind: ClassVar[str] = "subtitles"
    version: ClassVar[int] = 1
    noun: ClassVar[str] = "subtitles"
    title: ClassVar[str] = "subtitles"
    files: ClassVar[Mapping[str, str]] = {"srt": "film.srt", "vtt": "film.vtt"}

    rate: tuple[int, int]
    texts: tuple[Subtitle, ...]
    on_top: bool = field(default=False, metadata=OMITTED)
    timed: bool = field(default=False, metadata=OMITTED)
