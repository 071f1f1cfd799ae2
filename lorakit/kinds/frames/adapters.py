"""The adapters that a step's frames wear: from files, from other steps, or from a training's checkpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from lorakit.language.recipe.adapters import AdapterUse
from lorakit.plan.actions import Input
from lorakit.plan.kind import Context


class WornAdapters(NamedTuple):
    """Digests with weights, and the files; `input:<role>` stands for what another action makes."""

    weighed: tuple[tuple[str, float], ...]
    paths: tuple[str, ...]
    inputs: tuple[Input, ...]


def worn_adapters(
    adapters: Sequence[AdapterUse],
    context: Context,
    trained_by: Mapping[str, Input] | None = None,
) -> WornAdapters:
    """Find each adapter; `trained_by` says where those come from that no other step makes."""
    weighed: list[tuple[str, float]] = []
    paths: list[str] = []
    inputs: list[Input] = []
    for use in adapters:
        adapter = context.facts.adapters.get(use.name)
        if trained_by and use.name in trained_by:
            inputs.append(trained_by[use.name])
            digest = path = f"input:{inputs[-1].role}"
        elif adapter is not None:
            digest = adapter.digest
            path = str(adapter.layout.file)
        else:
            role = f"adapter_{len(inputs) + 1}"
            inputs += _made_by(use, role, context)
            digest = path = f"input:{role}"
        weighed.append((digest, use.weight))
        paths.append(path)
    return WornAdapters(tuple(weighed), tuple(paths), tuple(inputs))


def _made_by(use: AdapterUse, role: str, context: Context) -> list[Input]:
    """The adapter of a step of this recipe, or of a sweep's best member."""
    planned = context.step_plans.get(use.step)
    at = f"{use.step}/best" if use.name == f"{use.step}.best" else ""
    makers = [a for a in planned.actions if use.output in a.files] if planned else []
    makers = [a for a in makers if a.id == at] if at else makers
    return [Input(role, maker.id, use.output) for maker in makers[:1]]
