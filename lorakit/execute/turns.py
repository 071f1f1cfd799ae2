"""Which worker has which GPU: a GPU is one worker's, since each would put a model into its memory.

Workers that draw have a GPU each, trainings as many as they ask for. Who has nothing more to do makes way,
and where several draw, all but one of them leave theirs to a training that waits.
"""

from __future__ import annotations

from collections.abc import Sequence

from lorakit.execute.slots import Slot
from lorakit.plan.tasks.training import TrainTask


def gpus_for(slot: Slot) -> int:
    """How many GPUs a slot's worker needs for what it would begin next."""
    action = slot.next
    task = action.task if action is not None else None
    return task.train.processes if isinstance(task, TrainTask) else 1


def granted(slot: Slot, slots: Sequence[Slot], count: int) -> tuple[int, ...] | None:
    """The GPUs, of `count`, that a slot's worker may be started with; None where it has to wait.

    Those of `slots` that have nothing more to do there make way.
    """
    need = gpus_for(slot)
    holders = {gpu: other for other in slots for gpu in other.gpus}
    order = sorted(range(count), key=lambda gpu: (gpu in holders, _distance(slot, gpu, count)))
    chosen: list[int] = []
    leaving: list[Slot] = []
    for gpu in order:
        holder = holders.get(gpu)
        if len(chosen) == need:
            break
        if holder is None or holder in leaving:
            chosen.append(gpu)
        elif holder is not slot and not holder.busy and (holder.yields or not holder.waits):
            leaving.append(holder)
            chosen.append(gpu)
    if len(chosen) < need:
        _ask(slot, slots, need - len(chosen))
        return None
    for other in leaving:
        other.make_way()
    return tuple(sorted(chosen))


def _distance(slot: Slot, gpu: int, count: int) -> int:
    """Workers that draw count GPUs from the first on, others from the last, so that they seldom meet."""
    home = slot.home if slot.kind.drops else count - 1 - slot.home
    return abs(gpu - home)


def _ask(slot: Slot, slots: Sequence[Slot], lacking: int) -> None:
    """Have workers that draw begin nothing more, as long as one of them goes on."""
    if slot.kind.drops:
        return
    asked = sum(len(other.gpus) for other in slots if other.yields)
    for other in reversed(slots):
        going_on = [s for s in other.slots if s.worker is not None and not s.yields]
        if asked >= lacking:
            return
        if other.kind.drops and other.gpus and not other.yields and len(going_on) > 1:
            other.yields = True
            asked += len(other.gpus)
