"""From documents and facts to a plan: a pure function of both and of what the store already has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from lorakit.diagnostics import Diagnostic
from lorakit.facts.facts import Facts
from lorakit.facts.machine.environment import differences
from lorakit.language.recipe.documents import Step
from lorakit.language.recipe.project import Project
from lorakit.plan import estimate, limits, waves
from lorakit.plan.actions import Action
from lorakit.plan.expand import expand
from lorakit.plan.explain import changes_between, reason_of
from lorakit.plan.keys import action_key
from lorakit.plan.kind import Kind
from lorakit.plan.states import ParameterChange, Plan, Planned, State
from lorakit.plan.workers import WORKERS
from lorakit.store.store import Manifest, Output


class StoreView(Protocol):
    """What a plan may see of the store."""

    def manifest(self, key: str) -> Manifest | None:
        """The manifest for a key."""

    def has(self, output: Output) -> bool:
        """Whether an object is there."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What a command asks for: all of a recipe or only some steps; what to make again by force."""

    only: tuple[str, ...] = ()
    force: tuple[str, ...] = ()
    force_all: bool = False
    draft: bool = False
    rebuild: bool = False  # make again what was made with other versions of the libraries

    def forces(self, action: Action) -> bool:
        """Whether this action is made again although it is there."""
        return self.force_all or _named(action, self.force)

    def wants(self, action: Action) -> bool:
        """Whether this action is asked for."""
        return not self.only or _named(action, self.only)


def _named(action: Action, names: Iterable[str]) -> bool:
    return any(action.id == name or action.id.startswith(f"{name}/") for name in names)


def plan(
    project: Project,
    facts: Facts,
    kind_of: Callable[[Step], Kind[Any]],
    view: StoreView,
    last: Mapping[str, str],
    selection: Selection = Selection(),
) -> Plan:
    """The plan of one command. `last` is the key each address had when it was last made.

    Linear in the number of actions.
    """
    expanded = expand(project, facts, kind_of, draft=selection.draft)
    planned = resolve(expanded.actions, view, last, selection, facts.environment)
    foreseen = waves.foresee(planned)
    cost = estimate.estimate(planned, facts)
    return Plan(
        recipe=project.recipe.name,
        actions=planned,
        waves=foreseen,
        estimate=cost,
        warnings=(
            *expanded.warnings,
            *_made_elsewhere(planned),
            *limits.findings(planned, cost, facts),
        ),
        machine=f"{facts.machine.name}, {facts.machine.cores} cores",
        timings=facts.timings,
        sources=facts.sources,
        environment=facts.environment,
        notes=expanded.notes,
    )


def resolve(
    actions: Sequence[Action],
    view: StoreView,
    last: Mapping[str, str],
    selection: Selection,
    environment: Mapping[str, str] | None = None,
) -> tuple[Planned, ...]:
    """Give each action its state.

    Forwards: keys, as far as the digests of inputs are known. Backwards: which outputs somebody needs,
    so that an action whose objects were cleared away is made again only where they are missed.
    """
    outputs: dict[str, Mapping[str, Output]] = {}
    keys: dict[str, str | None] = {}
    manifests: dict[str, Manifest | None] = {}
    wanted = _wanted(actions, selection)
    forced: dict[str, str] = {}
    elsewhere: dict[str, str] = {}
    for action in actions:
        keys[action.id] = key = _key(action, outputs)
        manifest = view.manifest(key) if key is not None else None
        if manifest is not None and environment:
            packages = WORKERS[action.engine.slot].packages
            others = differences(manifest.environment, environment, packages)
            if others:
                elsewhere[action.id] = f"environment: {', '.join(others)}"
        if action.id in wanted and selection.forces(action):
            forced[action.id] = "forced"
        elif action.id in wanted and selection.rebuild and action.id in elsewhere:
            forced[action.id] = elsewhere[action.id]
        manifests[action.id] = manifest = None if action.id in forced else manifest
        if manifest is not None:
            outputs[action.id] = manifest.outputs

    needed: dict[str, set[str]] = {a.id: set(a.files) for a in actions}
    remake: dict[str, bool] = {}
    for action in reversed(actions):
        manifest = manifests[action.id]
        remake[action.id] = manifest is None or any(
            name not in manifest.outputs or not view.has(manifest.outputs[name])
            for name in needed[action.id]
        )
        if remake[action.id] and action.id in wanted:
            for source in action.inputs:
                needed[source.action].add(source.output)

    result = []
    for action in actions:
        key = keys[action.id]
        changes: tuple[ParameterChange, ...] = ()
        if action.id not in wanted:
            state, reason = State.HELD, "left out by --only"
        elif not remake[action.id]:
            state, reason = State.CACHED, elsewhere.get(action.id, "")
        elif manifests[action.id] is not None:
            state, reason = State.NEW, _gone(manifests[action.id], needed[action.id])
        elif action.id in forced:
            state, reason = State.CHANGED, forced[action.id]
        elif key is None:
            state, reason = State.WAITS, _waits(action, outputs)
        else:
            before = view.manifest(last[action.id]) if action.id in last else None
            changes = changes_between(before, action) if before else ()
            state = State.CHANGED if before else State.NEW
            reason = reason_of(changes) if before else ""
        manifest = manifests[action.id]
        digests = {n: o.digest for n, o in manifest.outputs.items()} if manifest else None
        made_again = action.id in forced
        result.append(Planned(action, state, reason, key, changes, digests, made_again))
    return tuple(result)


def _gone(manifest: Manifest | None, needed: set[str]) -> str:
    more = manifest is not None and not needed <= set(manifest.outputs)
    return "more is asked of it than was kept" if more else "its files are gone from the store"


def _made_elsewhere(planned: Sequence[Planned]) -> tuple[Diagnostic, ...]:
    """One warning for all that is reused although other versions of the libraries made it."""
    reused = [p for p in planned if p.state is State.CACHED and p.reason]
    if not reused:
        return ()
    reasons = ", ".join(dict.fromkeys(p.reason.removeprefix("environment: ") for p in reused))
    plural = "" if len(reused) == 1 else "s"
    message = f"{len(reused)} cached action{plural} made with other versions: {reasons}"
    hint = "they are reused; --environment rebuild makes them again"
    return (Diagnostic("environment", message, hints=(hint,), severity="warning"),)


def _wanted(actions: Sequence[Action], selection: Selection) -> set[str]:
    """Those asked for, and what they need."""
    wanted: set[str] = set()
    for action in reversed(actions):
        if action.id in wanted or selection.wants(action):
            wanted.add(action.id)
            wanted.update(source.action for source in action.inputs)
    return wanted


def _key(action: Action, outputs: Mapping[str, Mapping[str, Output]]) -> str | None:
    if not action.engine.id:
        return None  # its model or its data has not been downloaded yet
    inputs = {}
    for source in action.inputs:
        digests = outputs.get(source.action)
        if digests is None or source.output not in digests:
            return None
        inputs[source.role] = digests[source.output].digest
    return action_key(action, inputs)


def _waits(action: Action, outputs: Mapping[str, object]) -> str:
    if not action.engine.id:
        return "until what it needs is downloaded"
    every = dict.fromkeys(source.action for source in action.inputs)
    missing = [name for name in every if name not in outputs]
    more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
    return f"for {missing[0]}{more}"
