"""A plan as plain JSON data: all that is drawn, and all that is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from lorakit.diagnostics import as_json
from lorakit.plan.elsewhere import workers_at_once
from lorakit.plan.states import State

if TYPE_CHECKING:
    from lorakit.diagnostics import Place
    from lorakit.plan.actions import Action
    from lorakit.plan.states import CardTable, ParameterChange, Plan, Planned, Waves


def plan_as_json(plan: Plan) -> dict[str, object]:
    """Turn a plan into JSON data. Times are seconds, memory and disk bytes; `version` is the form's."""
    estimate = plan.estimate
    return {
        "version": 2,
        "recipe": plan.recipe,
        "machine": plan.machine,
        "environment": dict(plan.environment),
        "counts": {state.word: plan.count(state) for state in State},
        "to_make": len(plan.to_make),
        "estimate": {
            "seconds": estimate.seconds,
            "memory": estimate.memory,
            "disk": estimate.disk,
            "measured": estimate.measured,
        },
        "waves": [_waves(waves) for waves in plan.waves],
        "cache": _cache(plan),
        "cards": _cards(plan.cards),
        "nodes": _nodes(plan),
        "notes": {step: list(notes) for step, notes in plan.notes.items()},
        "warnings": [as_json(warning) for warning in plan.warnings],
        "actions": [_planned(planned) for planned in plan.actions],
    }


def _cache(plan: Plan) -> dict[str, object] | None:
    """The team's cache, with what a run would fetch from it in bytes; None where there is none."""
    if plan.cache is None:
        return None
    fetch = plan.to_fetch
    return {
        **asdict(plan.cache),
        "actions": plan.count(State.REMOTE),
        "objects": len(fetch),
        "bytes": sum(output.size for output in fetch),
    }


def _nodes(plan: Plan) -> dict[str, object] | None:
    """The machines of a cluster that it is for; None where that is this one."""
    nodes = plan.nodes
    if nodes is None:
        return None
    return {
        "where": nodes.where,
        "asked": nodes.asked,
        "device_class": nodes.machine.device_class,
        "device": nodes.machine.name,
        "policy": nodes.policy,
        "workers": nodes.room.workers,
        "workers_now": nodes.room.now,
        "machines_now": nodes.room.machines,
        "at_once": dict(workers_at_once(plan)),
    }


def _cards(table: CardTable | None) -> list[dict[str, object]]:
    """What each step would be on cards that are not here; [] where nobody asked."""
    if table is None:
        return []
    return [
        {
            "gigabytes": choice.gigabytes,
            "step": choice.step,
            "work": choice.work,
            "words": choice.words,
            "weight_bits": choice.mode.bits,
            "offload": choice.mode.offload,
            "memory": choice.mode.card,
            "beside": choice.mode.beside,
            "enough": choice.mode.enough,
            "seconds": table.seconds,
        }
        for choice in table.choices
    ]


def _waves(waves: Waves) -> dict[str, object]:
    return {
        "batch_size": waves.batch_size,
        "calls": waves.calls,
        "rows": waves.rows,
        "fullness": round(waves.fullness, 4),
    }


def _planned(planned: Planned) -> dict[str, object]:
    action = planned.action
    return {
        "id": action.id,
        "step": action.step,
        "group": action.group,
        "kind": action.kind,
        "version": action.task.made_by,
        "label": action.label,
        "state": planned.state.word,
        "reason": planned.reason,
        "forced": planned.forced,
        "changes": [_change(change) for change in planned.changes],
        "key": planned.key,
        "outputs": _plain(planned.outputs),
        "fetch": sum(output.size for output in planned.fetch),
        "place": place_as_json(action.place),
        "engine": {
            "slot": action.engine.slot,
            "id": action.engine.id,
            "spec": action.engine.spec.to_json(),
        },
        "params": action.task.key(),
        "inputs": [
            {"role": i.role, "action": i.action, "output": i.output, "optional": i.optional}
            for i in action.inputs
        ],
        "alone": action.alone,
        "files": _plain(action.files),
        "units": action.units,
        "cost": asdict(action.cost),
        "may_fail": action.may_fail,
        "held": _held(action),
        "needs_approval": action.needs_approval,
        "unless": asdict(action.unless) if action.unless else None,
        "extra": action.task.beside(),
        "notes": list(action.notes),
    }


def _held(action: Action) -> dict[str, object] | None:
    held = action.held
    if held is None:
        return None
    place = place_as_json(held.place)
    return {"key": held.key, "picture": held.picture, "take": held.take, "place": place}


def _change(change: ParameterChange) -> dict[str, object]:
    return {
        "what": change.what,
        "before": _plain(change.before),
        "after": _plain(change.after),
        "place": place_as_json(change.place),
    }


def place_as_json(place: Place | None) -> dict[str, object] | None:
    """Turn a place into JSON data."""
    if place is None:
        return None
    return {
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "length": place.length,
    }


def _plain(value: object) -> object:
    """Turn mappings and tuples into what the json module writes; numbers and texts stay."""
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value
