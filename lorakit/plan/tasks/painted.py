"""The task of cutting a picture of the user's own to the size of a frame."""

from __future__ import annotations

from dataclasses import field
from typing import ClassVar

from lorakit.plan.tasks.json_form import BESIDE
from lorakit.plan.tasks.task import WorkerTask
from lorakit.records import record


@record
class PaintedTask(WorkerTask):
    """A picture at `width` x `height` px: upright, in sRGB, cut in the middle where its aspect is another.

    `picture` is the digest of its `file`.
    """

    kind: ClassVar[str] = "painted"
    version: ClassVar[int] = 1
    noun: ClassVar[str] = "own picture"

    picture: str
    width: int
    height: int
    file: str = field(default="", metadata=BESIDE)
