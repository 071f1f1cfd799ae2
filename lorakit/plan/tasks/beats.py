"""The task of finding the beats of a film's music."""

from __future__ import annotations

from dataclasses import field
from typing import ClassVar

from lorakit.plan.tasks.json_form import BESIDE
from lorakit.plan.tasks.task import WorkerTask
from lorakit.records import record


@record
class BeatsTask(WorkerTask):
    """When the beats of a song are, which is known by its digest.

    `path` is where it lies, `place` where the beats are asked for.
    """

    kind: ClassVar[str] = "beats"
    version: ClassVar[int] = 1
    noun: ClassVar[str] = "song's beats"
    title: ClassVar[str] = "beats"
    file: ClassVar[str] = "beats.json"

    song: str
    path: str = field(default="", metadata=BESIDE)
    place: str = field(default="", metadata=BESIDE)
