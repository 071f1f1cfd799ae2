"""What frames are called, from the addresses of their actions: film/meadow/2, film/meadow/2/take_3."""

from __future__ import annotations

from typing import NamedTuple

from lorakit.plan.actions import Action
from lorakit.plan.tasks.frame import FrameTask
from lorakit.plan.tasks.gate import GateTask, ScoreTask
from lorakit.plan.tasks.pick import PickTask


class FrameAddress(NamedTuple):
    """The address of a frame's scene, the frame's number or name in it, and of which part: `take 3`."""

    scene: str
    number: str
    part: str = ""

    @property
    def last(self) -> str:
        """What it is called within its scene."""
        return f"{self.number}, {self.part}" if self.part else self.number


def frame_address(action: Action) -> FrameAddress:
    """An action's address in its parts; of what is no frame, all but the last and the last."""
    scene, _, last = action.id.rpartition("/")
    part = [last] if isinstance(action.task, PickTask | GateTask | ScoreTask) else []
    if isinstance(action.task, FrameTask) and action.task.edit is not None:
        part = [last]
    if part:
        scene, _, last = scene.rpartition("/")
    if isinstance(action.task, FrameTask | ScoreTask) and last[:5] == "take_":
        part.insert(0, last)
        scene, _, last = scene.rpartition("/")
    if part:
        return FrameAddress(scene, last, " ".join(part).replace("_", " "))
    return FrameAddress(scene, last)
