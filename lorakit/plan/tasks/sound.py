"""The task of a film's sound: what is heard."""

from __future__ import annotations

from dataclasses import field
from typing import ClassVar

from lorakit.plan.tasks.json_form import BESIDE, OMITTED
from lorakit.plan.tasks.task import WorkerTask
from lorakit.records import record


@record
class Music:
    """A song by its digest, looped: `gain` and `duck` in dB, `fade_in` and `fade_out` in s."""

    digest: str
    gain: float
    fade_in: float
    fade_out: float
    duck: float
    file: str = field(default="", metadata=BESIDE)


@record
class SoundMixTask(WorkerTask):
    """All that is heard in a film, `samples` long at 48,000 a second, in two channels.

    The inputs `speech` are heard as well, `speech_gain` dB louder than they are. When, and how long the film
    is, is said by the input `timing` where it is `timed`.
    """

    kind: ClassVar[str] = "sound-mix"
    version: ClassVar[int] = 1
    noun: ClassVar[str] = "sound mix"
    unit: ClassVar[str] = "second"
    title: ClassVar[str] = "sound"
    file: ClassVar[str] = "sound.flac"

    samples: int
    music: Music | None
    speech: tuple[str, ...] = field(default=(), metadata=OMITTED)
    speech_gain: float = field(default=0.0, metadata=OMITTED)
    timed: bool = field(default=False, metadata=OMITTED)
