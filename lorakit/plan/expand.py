"""From steps to actions: each kind checks its step and says what it comes to, in the order of their needs.

Apart from the planner, since checking needs this and neither states nor estimates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from graphlib import TopologicalSorter
from typing import Any, NamedTuple

from lorakit.diagnostics import Diagnostic, InvalidDocument, in_order
from lorakit.facts.facts import Facts
from lorakit.language.recipe.documents import Step
from lorakit.language.recipe.folders import in_folder
from lorakit.language.recipe.project import Project
from lorakit.plan.actions import Action
from lorakit.plan.kind import Context, Kind, StepPlan


class Expanded(NamedTuple):
    """The actions of a recipe, inputs first, the warnings, and the lines that plan and run say of steps.

    `step_plans` has the same by step, with what a film of it shows.
    """

    actions: tuple[Action, ...]
    warnings: tuple[Diagnostic, ...]
    notes: Mapping[str, tuple[str, ...]]
    step_plans: Mapping[str, StepPlan]


def expand(
    project: Project,
    facts: Facts,
    kind_of: Callable[[Step], Kind[Any]],
    *,
    draft: bool = False,
    preview: bool = False,
) -> Expanded:
    """All actions of a recipe, with what is to be said; raises InvalidDocument with all errors."""
    steps = project.recipe.steps
    order = TopologicalSorter({name: _needs(name, steps, kind_of) for name in steps})
    planned: dict[str, StepPlan] = {}
    found: list[Diagnostic] = list(project.warnings)
    context = Context(project, facts, draft, planned, preview)
    ranks = {name: rank for rank, name in enumerate(steps)}
    for name in sorted(order.static_order(), key=lambda n: (_depth(n, steps, kind_of), ranks[n])):
        kind = kind_of(steps[name])
        wrong = tuple(kind.check(steps[name], context))
        found += wrong
        fatal = any(d.severity == "error" for d in wrong)
        planned[name] = StepPlan(()) if fatal else kind.plan(steps[name], context)
    if any(d.severity == "error" for d in found):
        raise InvalidDocument(in_order(found))
    return Expanded(
        tuple(_placed(action) for name in planned for action in planned[name].actions),
        in_order(found),
        {name: planned[name].notes for name in steps if planned[name].notes},
        planned,
    )


def _placed(action: Action) -> Action:
    """An action whose files lie in a folder that every file system takes, whatever its step is called."""
    files = {name: tuple(map(in_folder, paths)) for name, paths in action.files.items()}
    return action if files == dict(action.files) else replace(action, files=files)


def _needs(name: str, steps: Mapping[str, Step], kind_of: Callable[[Step], Kind[Any]]) -> list[str]:
    return [other for other in kind_of(steps[name]).needs(steps[name]) if other in steps]


def _depth(name: str, steps: Mapping[str, Step], kind_of: Callable[[Step], Kind[Any]]) -> int:
    needs = _needs(name, steps, kind_of)
    return 1 + max((_depth(n, steps, kind_of) for n in needs), default=-1)
