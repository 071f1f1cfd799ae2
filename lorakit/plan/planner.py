"""From documents and facts to a plan: a pure function of both and of what the store already has."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lorakit.diagnostics import Diagnostic, InvalidDocument, in_order
from lorakit.facts.facts import Facts
from lorakit.facts.machine.environment import differences
from lorakit.language.recipe.documents import Step
from lorakit.language.recipe.project import Project
from lorakit.plan import decisions, estimate, gates, limits, settled, waves
from lorakit.plan.actions import Action
from lorakit.plan.expand import expand
from lorakit.plan.explain import changes_between, reason_of
from lorakit.plan.keys import action_key
from lorakit.plan.kind import Kind
from lorakit.plan.selection import EVERYTHING, Selection
from lorakit.plan.states import ParameterChange, Plan, Planned, State
from lorakit.plan.store_view import BothViews, Offers, StoreView
from lorakit.plan.tasks.pick import PickTask
from lorakit.plan.workers import WORKERS
from lorakit.store.store import Manifest, Output

if TYPE_CHECKING:
    from lorakit.remote.account import CacheAccount


def plan(
    project: Project,
    facts: Facts,
    kind_of: Callable[[Step], Kind[Any]],
    view: StoreView,
    last: Mapping[str, str],
    selection: Selection = EVERYTHING,
    offers: Offers | None = None,
) -> Plan:
    """The plan of one command. `last` is the key each address had when it was last made.

    `offers` is what a team's cache has to offer. Linear in the number of actions. Raises InvalidDocument.
    """
    expanded = expand(project, facts, kind_of, draft=selection.draft, preview=selection.preview)
    planned = resolve(expanded.actions, view, last, selection, facts.environment, offers)
    wrong = list(settled.findings(planned, BothViews(view, offers), project.excerpt))
    if wrong:
        raise InvalidDocument(in_order([*expanded.warnings, *wrong]))
    foreseen = waves.foresee(planned)
    cost = estimate.estimate(planned, facts)
    return Plan(
        recipe=project.recipe.name,
        actions=planned,
        waves=foreseen,
        estimate=cost,
        warnings=(
            *expanded.warnings,
            *(_troubles(offers.account()) if offers is not None else ()),
            *_made_elsewhere(planned),
            *decisions.findings(planned, view, last, project.excerpt),
            *limits.findings(planned, cost, facts),
        ),
        machine=f"{facts.machine.name}, {facts.machine.cores} cores",
        timings=facts.timings,
        sources=facts.sources,
        environment=facts.environment,
        notes=expanded.notes,
        cache=offers.account() if offers is not None else None,
        offers=offers,
    )


def resolve(
    actions: Sequence[Action],
    view: StoreView,
    last: Mapping[str, str],
    selection: Selection,
    environment: Mapping[str, str] | None = None,
    offers: Offers | None = None,
) -> tuple[Planned, ...]:
    """Give each action its state.

    Forwards: keys, as far as the digests of inputs are known. Backwards: which outputs somebody needs,
    so that an action whose objects were cleared away is made again only where they are missed.
    """
    wanted = _wanted(actions, selection)
    known = _Known()
    both = BothViews(view, offers)
    for action in actions:
        _look(known, action, both, selection, environment, wanted=action.id in wanted)
    by_id = {action.id: action for action in actions}
    unapproved = decisions.unapproved(actions, by_id, known.outputs)
    needed: dict[str, set[str]] = {a.id: set(a.files) for a in actions}
    remake: dict[str, bool] = {}
    for action in reversed(actions):
        manifest = known.manifests[action.id]
        remake[action.id] = manifest is None or any(
            name not in manifest.outputs or not both.has(manifest.outputs[name])
            for name in needed[action.id]
        )
        if remake[action.id] and action.id in wanted and action.id not in unapproved:
            for source in action.inputs:
                needed[source.action].add(source.output)

    result = []
    for action in actions:
        key, manifest = known.keys[action.id], known.manifests[action.id]
        changes: tuple[ParameterChange, ...] = ()
        kept = None if remake[action.id] or action.id not in wanted else manifest
        fetch = _away(kept, needed[action.id], both)
        if action.id not in wanted:
            state, reason = State.HELD, "left out by --only"
        elif action.id in known.spared:
            state, reason = State.SPARED, ""
        elif action.id in known.perhaps and remake[action.id]:
            state, reason = State.PERHAPS, "where no try before it passes"
        elif action.id in unapproved and remake[action.id]:
            state, reason = State.UNAPPROVED, unapproved[action.id]
        elif action.id in known.kept:
            state, reason = State.APPROVED, "(inputs changed)"
        elif not remake[action.id]:
            state = State.REMOTE if fetch else State.CACHED
            reason = known.elsewhere.get(action.id, "")
        elif manifest is not None:
            state = State.NEW
            reason = _gone(manifest, needed[action.id], away=manifest.key in both.offered)
        elif action.id in known.forced:
            state, reason = State.CHANGED, known.forced[action.id]
        elif key is None:
            state, reason = State.WAITS, _waits(action, known.outputs)
        else:
            before = view.manifest(last[action.id]) if action.id in last else None
            changes = changes_between(before, action) if before else ()
            state = State.CHANGED if before else State.NEW
            reason = reason_of(changes) if before else ""
        if state.to_make:
            reason = "; ".join(filter(None, (reason, known.refused.get(action.id, ""))))
        digests = {n: o.digest for n, o in manifest.outputs.items()} if manifest else None
        made_again = action.id in known.forced
        offer = both.offered.get(manifest.key) if manifest is not None and kept else None
        result.append(
            Planned(action, state, reason, key, changes, digests, made_again, fetch, offer)
        )
    return tuple(result)


@dataclass(slots=True)
class _Known:
    """What is known of actions from the first on, by their addresses.

    `kept` are approved and left alone; `forced` says why one is made again that is there, `elsewhere` with
    which other versions one was made, and `refused` why the cache's is not taken.
    """

    keys: dict[str, str | None] = field(default_factory=dict)
    manifests: dict[str, Manifest | None] = field(default_factory=dict)
    outputs: dict[str, Mapping[str, Output]] = field(default_factory=dict)
    kept: set[str] = field(default_factory=set)
    forced: dict[str, str] = field(default_factory=dict)
    elsewhere: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    spared: set[str] = field(default_factory=set)
    perhaps: set[str] = field(default_factory=set)


def _look(
    known: _Known,
    action: Action,
    view: BothViews,
    selection: Selection,
    environment: Mapping[str, str] | None,
    *,
    wanted: bool,
) -> None:
    """Find an action's key and what the store has for it, once its inputs have been looked at."""
    id_ = action.id
    if _is_spared(known, action, view):
        known.spared.add(id_)
        known.keys[id_], known.manifests[id_] = None, None
        return
    known.keys[id_] = key = _key(action, known)
    picked = isinstance(action.task, PickTask)
    manifest = decisions.held_result(action, key, view)
    if manifest is not None:
        known.kept.add(id_)
        known.keys[id_] = manifest.key
    elif key is not None:
        manifest = _picked(action, key, known.outputs) if picked else view.manifest(key)
    if manifest is not None and id_ not in known.kept and not picked:
        packages = WORKERS[action.engine.slot].packages
        refusal = view.refusal(manifest.key, packages, environment or {})
        if refusal:
            known.refused[id_] = f"the cache's is not taken: {refusal}"
            manifest = None
    if manifest is not None and id_ not in known.kept and not picked:
        if environment:
            others = differences(manifest.environment, environment, packages)
            if others:
                known.elsewhere[id_] = f"environment: {', '.join(others)}"
        if wanted and selection.forces(action):
            known.forced[id_] = "forced"
        elif wanted and selection.rebuild and id_ in known.elsewhere:
            known.forced[id_] = known.elsewhere[id_]
    known.manifests[id_] = manifest = None if id_ in known.forced else manifest
    if manifest is not None:
        known.outputs[id_] = manifest.outputs


def _away(manifest: Manifest | None, needed: set[str], both: BothViews) -> tuple[Output, ...]:
    """Those outputs that somebody needs and only the team's cache has."""
    if manifest is None:
        return ()
    outputs = (manifest.outputs[name] for name in sorted(needed))
    return tuple(output for output in outputs if output.digest in both.away)


def _gone(manifest: Manifest, needed: set[str], *, away: bool) -> str:
    if not needed <= set(manifest.outputs):
        return "more is asked of it than was kept"
    return (
        "its files in the cache are damaged or gone"
        if away
        else "its files are gone from the store"
    )


def _troubles(account: CacheAccount) -> Iterator[Diagnostic]:
    """One warning for all that is wrong with the team's cache."""
    if account.troubles:
        first, *more = account.troubles
        words = f"{first}, and {len(more)} more of the kind" if more else first
        hint = "what it would have offered is made here; lorakit cache status looks at it"
        yield Diagnostic("cache", f"{account.url}: {words}", hints=(hint,), severity="warning")


def _made_elsewhere(planned: Sequence[Planned]) -> tuple[Diagnostic, ...]:
    """One warning for all that is reused although other versions of the libraries made it."""
    reused = [p for p in planned if p.state in (State.CACHED, State.REMOTE) and p.reason]
    if not reused:
        return ()
    reasons = ", ".join(dict.fromkeys(p.reason.removeprefix("environment: ") for p in reused))
    plural = "" if len(reused) == 1 else "s"
    card = ", or on another GPU" if "gpu " in reasons else ""
    message = f"{len(reused)} cached action{plural} made with other versions{card}: {reasons}"
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


def _picked(action: Action, key: str, outputs: Mapping[str, Mapping[str, Output]]) -> Manifest:
    """What a pick comes to: nothing is made, so that no manifest of it is kept."""
    task = action.task
    assert isinstance(task, PickTask)
    inputs = {one.role: outputs[one.action][one.output] for one in action.inputs}
    digests = {role: output.digest for role, output in inputs.items()}
    return Manifest(key, task.kind, task.key(), digests, task.chosen(inputs), 0.0, {})


def _is_spared(known: _Known, action: Action, view: StoreView) -> bool:
    """Whether a try is not made, since one before it has passed; notes where that will be seen in the run."""
    needed = {source.action for source in action.inputs if not source.optional}
    if needed & known.spared:
        return True
    spared = gates.is_spared(action.unless, known.outputs, view.text) if action.unless else False
    if spared is None or needed & known.perhaps:
        known.perhaps.add(action.id)
    return bool(spared)


def _key(action: Action, known: _Known) -> str | None:
    if not action.engine.id:
        return None  # its model or its data has not been downloaded yet
    inputs = {}
    for source in action.inputs:
        if source.optional and source.action in known.spared:
            continue
        digests = known.outputs.get(source.action)
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
