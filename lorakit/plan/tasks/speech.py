"""The tasks of what is said: sentences spoken, and the time that a film's pictures take by them."""

from __future__ import annotations

from dataclasses import field
from typing import ClassVar

from lorakit.plan.tasks.json_form import BESIDE, OMITTED
from lorakit.plan.tasks.task import WorkerTask
from lorakit.records import record

_HEADER, _SAMPLE = 44, 2  # bytes: of a wav before its samples, and of one of those


@record
class SpeechTask(WorkerTask):
    """A `text` said by a `voice`; `engine` is its program with the version, `command` how it is started.

    Or a recording of the user's own: `recording` is its digest, `path` where it lies.
    """

    kind: ClassVar[str] = "speech"
    version: ClassVar[int] = 1
    noun: ClassVar[str] = "sentence"
    unit: ClassVar[str] = "sentence"
    file: ClassVar[str] = "speech.wav"

    text: str = ""
    voice: str = ""
    engine: str = ""
    recording: str = field(default="", metadata=OMITTED)
    command: tuple[str, ...] = field(default=(), metadata=BESIDE)
    path: str = field(default="", metadata=BESIDE)

    @staticmethod
    def samples(size: int) -> int:
        """How many samples a speech has whose file is so many bytes long; 0 where it is none."""
        return max(0, size - _HEADER) // _SAMPLE


@record
class TimedClip:
    """A clip of a film: `pictures` that share `hold` film frames, or with `by_words` what is said in it.

    `speech` is the input that is said, empty where nothing is; `at` pins the clip to a film frame. `place`
    is where it is written.
    """

    hold: int
    pictures: int = 1
    by_words: bool = False
    speech: str = ""
    at: int | None = None
    place: str = field(default="", metadata=BESIDE)


@record
class TimingTask(WorkerTask):
    """When each picture of a film stands, settled once what is said has its length.

    `rate` is film frames a second, as a fraction. Behind words that decide, a picture stays `pause` film
    frames. With a `total` the film has so many film frames. The input `beats`, where there is one, has the
    seconds that cuts are moved to. Music that may not loop, as is written at `song_place`, lasts `song` film
    frames.
    """

    kind: ClassVar[str] = "timing"
    version: ClassVar[int] = 1
    noun: ClassVar[str] = "timing"
    title: ClassVar[str] = "timing"
    file: ClassVar[str] = "timing.json"

    rate: tuple[int, int]
    pause: int
    total: int | None
    clips: tuple[TimedClip, ...]
    song: int | None = field(default=None, metadata=OMITTED)
    song_place: str = field(default="", metadata=BESIDE)
