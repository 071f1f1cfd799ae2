"""The takes of a frame, and which of them stands for it: the first, one that was picked, or one approved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from lorakit.kinds.sheet import ASSEMBLY
from lorakit.language.story.decisions import Decisions, FrameName, Pick
from lorakit.plan.actions import Action, Held, Input
from lorakit.plan.cost import Cost
from lorakit.plan.seeds import derive
from lorakit.plan.tasks.frame import FrameTask
from lorakit.plan.tasks.pick import PARTS, PickTask

_NOTHING = Cost(PickTask.kind)


class Draw(Protocol):
    """The action that draws a frame from the noise of a seed."""

    def __call__(self, *, noise: int) -> Action:
        """The action."""


def noise_of(seed: int, identity: str, hop: int, take: int) -> int:
    """What seeds a take's noise; the first has that of a frame without takes."""
    return derive(seed, identity, hop) if take == 1 else derive(seed, identity, hop, "take", take)


def take_id(frame: str, take: int) -> str:
    """The address of a take of the frame at an address."""
    return frame if take == 1 else f"{frame}/take_{take}"


def take_actions(
    draw: Draw, noise: Callable[[int], int], name: FrameName, takes: int, decisions: Decisions
) -> tuple[Action, list[Action]]:
    """The actions of one frame, with the one that stands for it in chain, sheet and film."""
    approval = decisions.approved.get(name)
    if approval is not None:
        held = Held(approval.key, approval.picture, approval.take, approval.place)
        only = replace(draw(noise=noise(approval.take)), held=held)
        return only, [only]
    first = draw(noise=noise(1))
    if takes == 1:
        return first, [first]
    (path,) = first.files["picture"]
    pick = decisions.picks.get(name)
    if pick is not None and not 1 < pick.take <= takes:
        pick = None
    every = [
        replace(
            draw(noise=noise(take)),
            id=take_id(first.id, take),
            files={"picture": (take_path(path, take),)},
        )
        for take in range(1, takes + 1)
    ]
    if pick is None:
        every[0] = replace(every[0], files={"picture": (path, *every[0].files["picture"])})
        return every[0], every
    picked = _picked(first, str(name), pick)
    return picked, [*every, picked]


def taken(action: Action) -> int:
    """Which take stands for a frame, by the action that does."""
    if action.held is not None:
        return action.held.take
    return action.task.take if isinstance(action.task, PickTask) else 1


def _picked(first: Action, name: str, pick: Pick) -> Action:
    assert isinstance(first.task, FrameTask)
    inputs = tuple(
        Input(f"{part}_{take}", take_id(first.id, take), part)
        for take in (1, pick.take)
        for part in PARTS
    )
    size = first.task.width, first.task.height
    return replace(
        first,
        id=f"{first.id}/pick",
        label=f"take {pick.take} of {name}",
        place=pick.place or first.place,
        engine=ASSEMBLY,
        task=PickTask(pick.take, pick.picture, name, *size),
        cost=_NOTHING,
        inputs=inputs,
        units=1,
        places={},
    )


def take_path(path: str, take: int) -> str:
    """Where a take of the frame at a path goes in a run folder."""
    folder, _, name = path.rpartition("/")
    return f"{folder}/takes/{name.removesuffix('.png')}_take_{take}.png"
