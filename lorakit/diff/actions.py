"""The actions of two plans, address by address: what stays, what is drawn again and why, what moved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from lorakit.diff.report import ActionChange, Relation
from lorakit.plan.explain import changes_since, reason_of
from lorakit.plan.states import State
from lorakit.store.canonical import digest_of

if TYPE_CHECKING:
    from lorakit.plan.actions import Action
    from lorakit.plan.states import Planned


class Lineage:
    """What an action's result comes of, all the way back: equal lineages are equal keys once all is made.

    A key needs the contents of its inputs, which nobody knows before they are made; a lineage has theirs in
    their place.
    """

    def __init__(self, actions: Sequence[Planned]) -> None:
        self._actions: Mapping[str, Action] = {p.action.id: p.action for p in actions}
        self._known: dict[str, str] = {}

    def of(self, address: str) -> str:
        """The lineage of the action at an address."""
        todo = [address]
        while todo:  # a loop and no recursion: a thousand frames may hang on each other
            last = todo[-1]
            action = self._actions[last]
            unknown = [i.action for i in action.inputs if i.action not in self._known]
            if unknown:
                todo += unknown
                continue
            todo.pop()
            if last not in self._known:
                self._known[last] = self._digest(action)
        return self._known[address]

    def _digest(self, action: Action) -> str:
        inputs = {i.role: [self._known[i.action], i.output] for i in action.inputs}
        # a model that has not been fetched has no digest yet: its name has to do
        engine = "" if action.engine.id else action.engine.spec.name
        task = action.task
        return digest_of([task.kind, task.made_by, task.key(), inputs, engine])


class _Older:
    """The older plan's actions by lineage, found out only of those that may be what is looked for."""

    def __init__(self, before: Sequence[Planned]) -> None:
        self._lineage = Lineage(before)
        self._like: dict[tuple[str, object], list[str]] = {}
        for planned in before:
            self._like.setdefault(_likeness(planned.action), []).append(planned.action.id)
        self._known: dict[tuple[str, object], dict[str, str]] = {}

    def address(self, action: Action, lineage: str) -> str | None:
        """Where a thing of this lineage was made: at the same address if it was there."""
        likeness = _likeness(action)
        if likeness not in self._known:
            near = self._like.get(likeness, ())
            self._known[likeness] = {self._lineage.of(one): one for one in reversed(near)}
            self._known[likeness] |= {f"{one} {self._lineage.of(one)}": one for one in near}
        known = self._known[likeness]
        return known.get(f"{action.id} {lineage}") or known.get(lineage)


def compared(before: Sequence[Planned], after: Sequence[Planned]) -> tuple[ActionChange, ...]:
    """What became of every action, in the order of the newer plan; those that are gone last."""
    old = {p.action.id: p for p in before}
    older, newer = _Older(before), Lineage(after)
    same = _same(old, after)
    found = []
    touched: set[str] = set()  # whose lineage the older plan has nowhere
    taken: set[str] = set()
    for planned in after:
        action, address = planned.action, planned.action.id
        if planned.state is State.APPROVED and address not in same:
            reason = "its inputs changed"
            found.append(ActionChange(action, Relation.HELD, reason, planned, old.get(address)))
            taken.add(address)
            continue
        other: str | None = address
        if address not in same:
            # what is made of something new is new
            fresh = any(one.action in touched for one in action.inputs)
            other = None if fresh else older.address(action, newer.of(address))
        if other is not None:
            taken.add(other)
            if other == address:
                found.append(ActionChange(action, Relation.SAME, "", planned, old[other]))
            else:
                reason = f"it was {other}"
                moved = ActionChange(action, Relation.MOVED, reason, planned, old[other], other)
                found.append(moved)
            continue
        if address in old:
            reason = _reason(old[address].action, action, touched)
            found.append(ActionChange(action, Relation.AGAIN, reason, planned, old[address]))
        else:
            found.append(ActionChange(action, Relation.NEW, "", planned))
        touched.add(address)
    now = {p.action.id for p in after}
    gone = (a for a in old if a not in now and a not in taken)
    found += [ActionChange(old[a].action, Relation.GONE, before=old[a]) for a in gone]
    return tuple(found)


def _same(old: Mapping[str, Planned], after: Sequence[Planned]) -> set[str]:
    """The addresses at which both have the same task on inputs that are the same: most of them."""
    same: set[str] = set()
    for planned in after:
        action = planned.action
        before = old.get(action.id)
        if (
            before is not None
            and action.engine.id
            and before.action.engine.id
            and all(one.action in same for one in action.inputs)
            and before.action.inputs == action.inputs
            and _equal_tasks(before.action, action)
        ):
            same.add(action.id)
    return same


def _likeness(action: Action) -> tuple[str, object]:
    """What two actions of one lineage share, without the work of a digest."""
    return action.kind, getattr(action.task, "prompt", None)


def _equal_tasks(one: Action, two: Action) -> bool:
    if type(one.task) is not type(two.task):
        return False
    return one.task == two.task or (
        one.task.made_by == two.task.made_by and one.task.key() == two.task.key()
    )


def _reason(before: Action, action: Action, touched: set[str]) -> str:
    """Why it is made again, in the words of a plan; where nothing of its own changed, which input did."""
    changes = changes_since(before.task.key(), action)
    if changes:
        return reason_of(changes)
    if before.task.made_by != action.task.made_by:
        return "what makes it has changed"
    return _inputs_reason(before, action, touched) or reason_of(())


def _inputs_reason(before: Action, action: Action, touched: set[str]) -> str:
    changed = list(dict.fromkeys(i.action for i in action.inputs if i.action in touched))
    if changed:
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        return f"it needs {changed[0]}{more}, made anew"
    now, then = {i.action for i in action.inputs}, {i.action for i in before.inputs}
    came, went = sorted(now - then), sorted(then - now)
    if came:
        return f"it is made of {came[0]} now"
    return f"it was made of {went[0]}" if went else ""


def of_one_side(planned: Sequence[Planned], relation: Relation) -> Iterator[ActionChange]:
    """The actions of a document that is on one side only."""
    for one in planned:
        if relation is Relation.GONE:
            yield ActionChange(one.action, relation, before=one)
        else:
            yield ActionChange(one.action, relation, planned=one)
