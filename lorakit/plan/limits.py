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
    trainings = [p.action for p in planned if p.state.to_make and p.action.engine.slot == "train"]
    greatest = next(
        (a for a in trainings if estimate.training_memory(a, facts.timings) == need), None
    )
    what = greatest.id.removesuffix("/training") if greatest else "this"
    message = (
        f"{what} needs about {numbers.size(need)} of memory, and the {facts.machine.name} has "
        f"{numbers.size(have)}"
    )
    hints = (
        (memory.way_out(greatest.params), memory.further(greatest.params))
        if greatest
        else (memory.DRAWING,)
    )
    return Diagnostic("memory", message, hints=hints, severity="warning")
