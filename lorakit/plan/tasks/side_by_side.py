"""The task of laying series of pictures beside each other."""

from __future__ import annotations

from dataclasses import field
from typing import ClassVar

from lorakit.facts.fonts.fallbacks import Fallback
from lorakit.plan.tasks.json_form import OMITTED, keyed_as
from lorakit.plan.tasks.task import WorkerTask
from lorakit.records import record


@record
class SideBySideTask(WorkerTask):
    """Several series of pictures beside each other; with `down` each is a row, else a column.

    `pictures` are inputs by series; one that did not come leaves its place empty. `fallbacks` are fonts for
    what the shipped one lacks.
    """

    kind: ClassVar[str] = "side-by-side"
    version: ClassVar[int] = 1
    unit: ClassVar[str] = "picture"
    file: ClassVar[str] = "side_by_side.png"

    heading: str = field(metadata=keyed_as("title"))
    of: tuple[str, ...]
    captions: tuple[str, ...]
    pictures: tuple[tuple[str, ...], ...]
    down: bool = field(default=False, metadata=OMITTED)
    fallbacks: tuple[Fallback, ...] = field(default=(), metadata=OMITTED)
