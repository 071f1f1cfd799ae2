"""What a run tells, as it happens: the terminal draws these, `events.jsonl` keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, field
from typing import ClassVar, Literal

from lorakit.records import record

EVENTS = "events.jsonl"
_IS_PROGRESS = b'"type": "action-progress"'
SUCCEEDED = frozenset({"made", "cached"})  # the outcomes that leave something
Outcome = Literal["made", "cached", "failed", "skipped", "spared"]
Ending = Literal["done", "failed", "interrupted"]


def is_progress(line: bytes) -> bool:
    """Whether a line of `events.jsonl` tells of no end, but how far something is: most of them do."""
    return _IS_PROGRESS in line[:40]


@record
class Event:
    """Something happened `at` seconds after the run began."""

    type: ClassVar[str] = "event"
    at: float

    def as_json(self) -> dict[str, object]:
        """As one line of `events.jsonl` holds it."""
        return {"type": self.type, **asdict(self)}


@record
class RunStarted(Event):
    """The run folder stands; `actions` are in the plan, `to_make` of them at most are to be made.

    `began` is the time by the clock, as 2026-05-01T20:15:00+02:00.
    """

    type: ClassVar[str] = "run-started"
    folder: str
    recipe: str
    actions: int
    to_make: int
    began: str = ""


@record
class WorkerState(Event):
    """A worker's state in words: `starting`, `waiting` (for another run), `loading`, `ready`, `ended`.

    Of one elsewhere also `sending` (so much of what it lacks; `seconds` are those that are left, about),
    `sent`, `fetching` (a model, from the hub), `fetched`.

    `slot` is its kind, `worker` its name among several of a kind, `where` the machine that it is on, if that
    is another than this one.
    """

    type: ClassVar[str] = "worker"
    slot: str
    state: str
    detail: str = ""
    seconds: float = 0.0
    worker: str = ""
    where: str = ""


@record
class ActionStarted(Event):
    """A worker has begun an action; `worker` is its name."""

    type: ClassVar[str] = "action-started"
    action: str
    worker: str = ""


@record
class ActionProgress(Event):
    """`done` of `total` units of an action are through (UNet steps of a frame, frames of a film).

    A training tells `figures` too: `loss`, `learning_rate`, `memory` in bytes. `picture` is a path in the
    run folder, of what a frame looks like by now; it is gone when the run is over.
    """

    type: ClassVar[str] = "action-progress"
    action: str
    done: int
    total: int
    figures: Mapping[str, float] = field(default_factory=dict)
    picture: str = ""


@record
class ActionFinished(Event):
    """An action has ended; `files` are paths in the run folder; `picture` is one worth showing."""

    type: ClassVar[str] = "action-finished"
    action: str
    outcome: Outcome
    key: str = ""
    seconds: float = 0.0
    files: tuple[str, ...] = ()
    picture: str = ""
    detail: str = ""


@record
class Note(Event):
    """Something worth a line: a worker was started again, a package differs, a picture was re-rolled."""

    type: ClassVar[str] = "note"
    text: str


@record
class RunFinished(Event):
    """The run is over. `calls` counts the networks' forward passes, `made` and so on the actions.

    `peak_memory`, in bytes, is of the training that took most, `estimated_memory` what was expected of it;
    of all its processes where they share one memory. `films` are in all their formats, and `film` is the last
    step's, in its first one; `notes` are the plan's.
    Where nothing was `copied`, `folder` is an earlier run's, which holds everything. `workers` says how many
    actions each worker made, by name, where several of a kind were at work.
    """

    type: ClassVar[str] = "run-finished"
    ending: Ending
    folder: str
    seconds: float
    made: int
    cached: int
    failed: int
    skipped: int
    calls: Mapping[str, int] = field(default_factory=dict)
    film: str = ""
    contact_sheet: str = ""
    hint: str = ""
    table: str = ""
    estimated_seconds: float = 0.0
    estimated_memory: int = 0
    peak_memory: int = 0
    films: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    copied: bool = True
    report: str = ""
    workers: Mapping[str, int] = field(default_factory=dict)
