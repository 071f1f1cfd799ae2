"""Workers on other machines: of how many there is use, for what a plan makes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from lorakit.plan.states import Plan
from lorakit.plan.workers import WORKERS


def workers_at_once(plan: Plan) -> Mapping[str, int]:
    """The most workers that have work at once on the plan's `nodes`, by kind, as far as there is room.

    What draws goes by chains: frames that wait for one another need one worker.
    """
    if plan.nodes is None:
        return {}
    kinds = {p.action.id: p.action.engine.slot for p in plan.to_make}
    work: Counter[str] = Counter()
    for planned in plan.to_make:
        kind = kinds[planned.action.id]
        waits = any(kinds.get(needed.action) == kind for needed in planned.action.inputs)
        if WORKERS[kind].torch and not waits:
            work[kind] += 1
    return {kind: min(number, plan.nodes.room.workers) for kind, number in sorted(work.items())}
