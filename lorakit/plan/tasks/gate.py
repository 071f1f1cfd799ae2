"""The tasks of a gate: what a picture scores, and which of several stands for its frame."""

from __future__ import annotations

from dataclasses import field
from typing import ClassVar

from lorakit.plan.tasks.frame import ReferenceFile
from lorakit.plan.tasks.json_form import BESIDE, OMITTED
from lorakit.plan.tasks.task import WorkerTask
from lorakit.records import record


@record
class Floors:
    """What a picture must score at the least, and how far its colours may have drifted at the most.

    `character` and `sentence` are probabilities; `drift` is a distance in CIELAB (CIE76). None asks nothing.
    """

    character: float | None = None
    sentence: float | None = None
    drift: float | None = None


@record
class ScoreTask(WorkerTask):
    """How well a `picture` shows what `prompt` says, as the judge with a digest sees it, or models do.

    `first` is the input of its scene's first picture, from which colours drift, where there is one.
    `character_judge` holds it against `reference_files` and the inputs `reference_1` and so on,
    `sentence_judge` against the prompt.
    """

    kind: ClassVar[str] = "score"
    version: ClassVar[int] = 1
    noun: ClassVar[str] = "score"

    prompt: str
    judge: str | None
    character_judge: str | None = field(default=None, metadata=OMITTED)
    sentence_judge: str | None = field(default=None, metadata=OMITTED)
    reference_files: tuple[ReferenceFile, ...] = field(default=(), metadata=OMITTED)


@record
class GateTask(WorkerTask):
    """The first of up to `tries` pictures that is above all floors, or else the best of them.

    Its inputs are those of every try that was made: `picture_1`, `latents_1`, `score_1`, and so on.
    `frame` is what a user calls it, `width` and `height` its size in px.
    """

    kind: ClassVar[str] = "gate"
    version: ClassVar[int] = 1
    noun: ClassVar[str] = "choice"

    floors: Floors
    tries: int
    frame: str = field(default="", metadata=BESIDE)
    width: int = field(default=0, metadata=BESIDE)
    height: int = field(default=0, metadata=BESIDE)
