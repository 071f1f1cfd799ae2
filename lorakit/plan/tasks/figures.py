"""The tasks of telling what trainings and sweeps came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import ClassVar

from lorakit.plan.tasks.json_form import OMITTED
from lorakit.plan.tasks.task import WorkerTask
from lorakit.records import record


@record
class ComparedRun:
    """A step's name, and the input that holds its figures."""

    name: str
    metrics: str


@record
class CompareTask(WorkerTask):
    """Figures of several trainings, held against the first."""

    kind: ClassVar[str] = "compare"
    version: ClassVar[int] = 1

    of: tuple[ComparedRun, ...]


@record
class PictureFiguresTask(WorkerTask):
    """How much pictures change that follow each other; `rows` are inputs."""

    kind: ClassVar[str] = "picture-figures"
    version: ClassVar[int] = 1

    rows: tuple[tuple[str, ...], ...]


@record
class SweepMember:
    """A member with the values that make it, and the input that holds its figures.

    `like` is the same for all its seeds; `files` are the inputs that hold its outputs.
    """

    name: str
    like: str
    values: Mapping[str, str] = field(hash=False)
    metrics: str
    files: Mapping[str, str] | None = field(default=None, metadata=OMITTED)


@record
class Choice:
    """By which figure the best member is found, and whether more of it (`max`) or less is better."""

    metric: str
    mode: str


@record
class SweepTableTask(WorkerTask):
    """A table of a sweep's members."""

    kind: ClassVar[str] = "sweep-table"
    version: ClassVar[int] = 1

    members: tuple[SweepMember, ...]
    best: Choice | None


@record
class SweepBestTask(WorkerTask):
    """The files of a sweep's best member; `files` are their names by output."""

    kind: ClassVar[str] = "sweep-best"
    version: ClassVar[int] = 1

    members: tuple[SweepMember, ...]
    best: Choice
    files: Mapping[str, str] = field(hash=False)
