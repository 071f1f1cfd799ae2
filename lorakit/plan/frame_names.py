"""What frames are called, from the addresses of their actions: film/meadow/2, film/meadow/2/take_3."""

from __future__ import annotations

from typing import NamedTuple

from lorakit.plan.actions import Action
from lorakit.plan.tasks.clip import ClipTask
from lorakit.plan.tasks.frame import FrameTask
from lorakit.plan.tasks.gate import GateTask, ScoreTask
from lorakit.plan.tasks.painted import PaintedTask
from lorakit.plan.tasks.pick import PickTask
from lorakit.plan.tasks.upscale import EnlargeTask, UpscaleTask

UPSCALE_TASKS = (EnlargeTask, UpscaleTask)
_BESIDE = (PickTask, GateTask, ScoreTask, ClipTask, *UPSCALE_TASKS)
# what gives a frame its picture: drawn, picked of its takes, of the user's own, or chosen by a gate
FRAME_TASKS = (FrameTask, PickTask, PaintedTask, GateTask)
# and what makes that larger
PICTURE_TASKS = (*FRAME_TASKS, *UPSCALE_TASKS)


class FrameAddress(NamedTuple):
    """The address of a frame's scene, the frame's number or name in it, and of which part: `take 3`."""

    scene: str
    number: str
    part: str = ""

    @property
    def last(self) -> str:
        """What it is called within its scene."""
        return f"{self.number}, {self.part}" if self.part else self.number


def smaller_of(action: Action) -> str | None:
    """The address of what an action makes larger; None where that is not what it does."""
    task = action.task
    if isinstance(task, UPSCALE_TASKS) or (isinstance(task, FrameTask) and task.upscaled):
        # of a clip's pictures none is a frame's
        return next((one.action for one in action.inputs if one.output == "picture"), None)
    return None


def edited_by(action: Action) -> str | None:
    """The address of the frame that an action edits; None where that is not what it does."""
    if not isinstance(action.task, FrameTask) or action.task.edit is None:
        return None
    return next(one.action for one in action.inputs if one.role == "edited")


def frame_address(action: Action) -> FrameAddress:
    """An action's address in its parts; of what is no frame, all but the last and the last."""
    scene, _, last = action.id.rpartition("/")
    part = [last] if isinstance(action.task, _BESIDE) else []
    task = action.task
    if isinstance(task, FrameTask) and (task.edit or task.between or task.upscaled):
        part = [last]
    if part:
        scene, _, last = scene.rpartition("/")
    if isinstance(action.task, FrameTask | ScoreTask) and last[:5] == "take_":
        part.insert(0, last)
        scene, _, last = scene.rpartition("/")
    if part:
        return FrameAddress(scene, last, " ".join(part).replace("_", " "))
    return FrameAddress(scene, last)
