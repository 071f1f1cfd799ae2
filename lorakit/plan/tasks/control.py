"""The tasks of making what a ControlNet holds a frame to, and how a frame is held to it."""

from __future__ import annotations

from dataclasses import field
from typing import ClassVar

from lorakit.plan.tasks.json_form import BESIDE, OMITTED
from lorakit.plan.tasks.task import WorkerTask
from lorakit.records import record


@record
class ControlUse:
    """How a frame is held to its input `control`: the digest of the ControlNet, whose folder is `path`.

    It weighs `strength` from the share `start` of the steps to the share `end`.
    To a union the map is one of its kind `mode`.
    """

    model: str | None
    strength: float
    start: float
    end: float
    path: str = field(default="", metadata=BESIDE)
    mode: int | None = field(default=None, metadata=OMITTED)


@record
class ControlMapTask(WorkerTask):
    """A picture of `width` x `height` px that shows another's edges, depths, or as it is what was drawn.

    The other is its input `picture`, or a `file` with the digest `picture`, or of a film the frame `number`,
    from 0 on, which stands at `seconds` and whose pixels have that digest. `depth_model` is the digest of
    what tells depths.
    """

    kind: ClassVar[str] = "control-map"
    version: ClassVar[int] = 1
    noun: ClassVar[str] = "map"

    shows: str
    width: int
    height: int
    device_class: str
    picture: str | None = field(default=None, metadata=OMITTED)
    depth_model: str | None = field(default=None, metadata=OMITTED)
    file: str = field(default="", metadata=BESIDE)
    number: int | None = field(default=None, metadata=BESIDE)
    seconds: float = field(default=0.0, metadata=BESIDE)
