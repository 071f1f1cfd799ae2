"""What changing one sentence would cost: the line a run ends with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lorakit.plan.actions import Action
from lorakit.plan.estimate import loading_name
from lorakit.plan.tasks.frame import FrameTask


def what_a_change_costs(actions: Sequence[Action], timings: Mapping[str, float]) -> str:
    """Such as "change line 9 and run again: 3 frames, about 8 s"; empty where nothing is drawn.

    Takes a frame from the middle of the story, and counts what hangs on it.
    """
    frames = [a for a in actions if isinstance(a.task, FrameTask) and a.place is not None]
    if not frames:
        return ""
    chosen = frames[len(frames) // 2]
    touched = {chosen.id}
    for action in actions:
        if any(source.action in touched for source in action.inputs):
            touched.add(action.id)
    again = [a for a in actions if a.id in touched]
    seconds = timings.get(loading_name(chosen), 5.0)
    seconds += sum(timings.get(a.cost.timing, 0.0) * a.units for a in again)
    drawn = sum(isinstance(a.task, FrameTask) for a in again)
    assert chosen.place is not None
    plural = "" if drawn == 1 else "s"
    return (
        f"change line {chosen.place.line} of {chosen.place.file} and run again: "
        f"{drawn} frame{plural}, about {max(1, round(seconds))} s"
    )
