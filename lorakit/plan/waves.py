"""Waves: how frames share the UNet, and how full its calls would be.

The UNet is called with a fixed number of rows (the batch size). A row is one frame at its own place in its
own schedule; where a frame ends, the next one that is ready takes its row. The batch size is constant for
a family, a size and a device, and part of the key, so that a row's bits depend neither on the company
it has nor on its slot.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from lorakit.facts.machine.this_machine import Machine
from lorakit.families import Family
from lorakit.plan.actions import Action
from lorakit.plan.tasks.frame import FrameTask
from lorakit.plan.tasks.pick import PickTask

if TYPE_CHECKING:
    from lorakit.plan.states import Planned, Waves


def batch_size_for(family: Family, size: tuple[int, int], machine: Machine) -> int:
    """Rows in a call of the denoiser, for pictures of `size` (width, height) px."""
    return family.rows(size[0] * size[1], machine.kind.gpu)


def chain_lengths(actions: Sequence[Action]) -> dict[str, int]:
    """For each action, the units from its own begin to the end of the longest chain behind it."""
    length = {a.id: a.units for a in actions}
    by_id = {a.id: a for a in actions}
    for action in reversed(actions):
        for source in action.inputs:
            if source.action in by_id:
                through = by_id[source.action].units + length[action.id]
                length[source.action] = max(length[source.action], through)
    return length


def _simulate(
    frames: Sequence[Action], batch_size: int, picks: Mapping[str, Sequence[str]]
) -> Waves:
    """Play the schedule: longest chain first, a freed row is taken at the next call.

    `picks` are the takes of each pick, which a frame that begins from it waits for.
    """
    from lorakit.plan.states import Waves

    ids = {frame.id for frame in frames}
    length = chain_lengths(frames)
    waits = {
        f.id: {id_ for i in f.inputs for id_ in picks.get(i.action, (i.action,)) if id_ in ids}
        for f in frames
    }
    behind: dict[str, list[Action]] = {}
    order = {f.id: n for n, f in enumerate(frames)}
    ready: list[tuple[int, int, Action]] = []
    for frame in frames:
        for source in waits[frame.id]:
            behind.setdefault(source, []).append(frame)
        if not waits[frame.id]:
            heapq.heappush(ready, (-length[frame.id], order[frame.id], frame))
    active: list[tuple[int, int, Action]] = []  # (the call after which it is done, order, frame)
    calls = rows = 0
    while ready or active:
        while ready and len(active) < batch_size:
            _, number, frame = heapq.heappop(ready)
            heapq.heappush(active, (calls + frame.units, number, frame))
        until = active[0][0]
        rows += (until - calls) * len(active)
        calls = until
        while active and active[0][0] == until:
            _, _, done = heapq.heappop(active)
            for frame in behind.get(done.id, ()):
                waits[frame.id].discard(done.id)
                if not waits[frame.id]:
                    heapq.heappush(ready, (-length[frame.id], order[frame.id], frame))
    return Waves(batch_size, calls, rows)


def foresee(planned: Iterable[Planned]) -> tuple[Waves, ...]:
    """The waves of all frames that are to be made, one figure for each engine and size."""
    groups: dict[tuple[str, int, int, int], list[Action]] = {}
    picks: dict[str, list[str]] = {}
    for each in planned:
        action, task = each.action, each.action.task
        if isinstance(task, PickTask):
            picks[action.id] = [source.action for source in action.inputs]
        if each.state.to_make and isinstance(task, FrameTask):
            shape = (action.engine.id, task.width, task.height, task.batch_size)
            groups.setdefault(shape, []).append(action)
    return tuple(_simulate(frames, shape[-1], picks) for shape, frames in groups.items())


def by_batch_size(every: Iterable[Waves]) -> tuple[Waves, ...]:
    """Those of one batch size added up: each checkpoint whose samples are drawn has waves of its own."""
    from lorakit.plan.states import Waves

    calls: Counter[int] = Counter()
    rows: Counter[int] = Counter()
    for waves in every:
        calls[waves.batch_size] += waves.calls
        rows[waves.batch_size] += waves.rows
    return tuple(Waves(size, calls[size], rows[size]) for size in calls)
