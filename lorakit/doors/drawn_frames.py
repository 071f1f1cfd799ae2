"""The frames of a step as they stand in its story: of takes the one that was picked, and no others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from lorakit.diagnostics import LorakitError
from lorakit.plan.actions import Action
from lorakit.plan.frame_names import frame_address
from lorakit.plan.tasks.frame import FrameTask
from lorakit.plan.tasks.pick import PickTask


def drawn_frames(actions: Iterable[Action]) -> list[Action]:
    """The frames that are drawn, each once, in the order in which they are."""
    every = list(actions)
    takes: dict[str, str] = {}  # the pick's address -> that of its take
    stands: dict[str, Action] = {}  # the take's address -> the pick, which has its files
    for action in every:
        if isinstance(action.task, PickTask):
            role = f"picture_{action.task.take}"
            take = next(one.action for one in action.inputs if one.role == role)
            takes[action.id], stands[take] = take, action
    replaced = {pick.removesuffix("/pick") for pick in takes}
    frames = []
    for action in every:
        other = action.id in replaced or frame_address(action).part
        if not isinstance(action.task, FrameTask) or (other and action.id not in stands):
            continue
        inputs = tuple(replace(i, action=takes.get(i.action, i.action)) for i in action.inputs)
        files = stands[action.id].files if action.id in stands else action.files
        frames.append(replace(action, inputs=inputs, files=files))
    return frames


def check_starts(frames: Sequence[Action]) -> None:
    """Raise LorakitError where a frame begins from a picture of the user's own."""
    known = {action.id for action in frames}
    for action in frames:
        for one in action.inputs:
            if one.output == "latents" and one.action not in known:
                raise LorakitError(
                    f"{action.id} begins from a picture of your own, which is not written into "
                    "workflows: name another scene, as in --scene"
                )


def check_plain(frames: Sequence[Action], every: Iterable[Action]) -> None:
    """Raise LorakitError where a frame is drawn by more than models, words and what it begins from."""
    edited = {a.id for a in every if isinstance(a.task, FrameTask) and a.task.edit is not None}
    worn = {a.task.adapters for a in frames if isinstance(a.task, FrameTask)}
    for action in frames:
        task = action.task
        assert isinstance(task, FrameTask)
        why = ""
        if task.control is not None:
            why = "is held by a ControlNet"
        elif task.anchor_color:
            why = "begins with the colours of its scene's first frame"
        elif task.ip_adapter is not None:
            why = "sees references through an IP-Adapter"
        elif task.shared_attention:
            why = "sees other pictures by shared attention"
        elif f"{action.id}/edit" in edited:
            why = "is edited once it is drawn"
        elif len(worn) > 1:
            why = "wears other adapters than others, those of its characters"
        if why:
            raise LorakitError(
                f"{action.id} {why}, which is not written into workflows: name another scene, as in --scene"
            )
