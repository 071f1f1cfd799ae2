"""What a run needs against the memory and the disk there are: hours on the way to their end are lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lorakit.diagnostics import Diagnostic
from lorakit.facts.facts import Facts
from lorakit.plan import estimate, memory, numbers
from lorakit.plan.states import Estimate, Planned

_SMALL = 2 << 30  # bytes of memory that any machine has


def findings(planned: Sequence[Planned], cost: Estimate, facts: Facts) -> Iterator[Diagnostic]:
    """Warnings, with ways out."""
    for remark in facts.machine.remarks:
        yield Diagnostic("machine", remark, severity="warning")
    for model in facts.models.values():
        for remark in model.remarks:
            yield Diagnostic("model", f"{model.source}: {remark}", severity="warning")
    have = facts.machine.memory if cost.memory > _SMALL else cost.memory
    if cost.memory > have:
        yield _memory(planned, cost.memory, have, facts)
    if cost.disk > facts.free_disk:
        need, free = numbers.size(cost.disk), numbers.size(facts.free_disk)
        yield Diagnostic(
            "disk",
            f"this needs about {need} of disk, and {free} are free",
            hints=("older folders in outputs/ are copies of what .lorakit/ keeps, and may go",),
            severity="warning",
        )


def _memory(planned: Sequence[Planned], need: int, have: int, facts: Facts) -> Diagnostic:
    from lorakit.plan.tasks.training import TrainTask

    greatest = next(
        (
            (p.action, p.action.task)
            for p in planned
            if p.state.to_make
            and isinstance(p.action.task, TrainTask)
            and estimate.peak_memory(p.action, facts.timings) == need
        ),
        None,
    )
    what = greatest[0].id.removesuffix("/training") if greatest else "this"
    message = (
        f"{what} needs about {numbers.size(need)} of memory, and the {facts.machine.name} has "
        f"{numbers.size(have)}"
    )
    hints = (
        tuple(filter(None, (memory.way_out(greatest[1]), memory.further(greatest[1]))))
        if greatest
        else (memory.DRAWING,)
    )
    return Diagnostic("memory", message, hints=hints, severity="warning")
