"""Series of pictures beside each other, on one page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lorakit.facts.fonts.fallbacks import fallbacks
from lorakit.kinds.sheet import ASSEMBLY, pictures_of
from lorakit.plan.actions import Action, Input
from lorakit.plan.cost import assembly_cost
from lorakit.plan.kind import Clip
from lorakit.plan.tasks.side_by_side import SideBySideTask


def side_by_side(
    step: str, title: str, series: Mapping[str, Sequence[Clip]], *, down: bool = False
) -> Action:
    """Several series of pictures beside each other, first to first; `down` gives each a row, else a column.

    What a series lacks, or what was not made because it failed, stays empty.
    """
    roles, inputs = pictures_of([clip for clips in series.values() for clip in clips])
    longest = max(series.values(), key=len)
    captions = tuple(clip.caption for clip in longest)
    task = SideBySideTask(
        title,
        of=tuple(series),
        captions=captions,
        pictures=tuple(tuple(roles[clip.picture] for clip in clips) for clips in series.values()),
        down=down,
        fallbacks=fallbacks([title, *series, *captions]),
    )
    units = max(1, sum(len(clips) for clips in series.values()))
    return Action(
        id=f"{step}/side-by-side",
        step=step,
        group="",
        label="side by side",
        place=None,
        engine=ASSEMBLY,
        task=task,
        cost=assembly_cost(task.kind, units),
        inputs=tuple(Input(i.role, i.action, i.output, optional=True) for i in inputs),
        files={"sheet": (f"{step}/{SideBySideTask.file}",)},
        units=units,
    )
