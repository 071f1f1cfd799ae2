"""How far the actions of a run are: what each waits for, what it came to, what that sets free.

Plain bookkeeping, without workers, files or clocks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from lorakit.execute.events import Outcome
from lorakit.plan.actions import Action
from lorakit.plan.states import Plan, State
from lorakit.store.store import Output


class TaskGraph:
    """The actions of one plan, by address."""

    def __init__(self, plan: Plan) -> None:
        self.planned = {p.action.id: p for p in plan.actions}
        self.actions: dict[str, Action] = {id_: p.action for id_, p in self.planned.items()}
        self.held = {
            id_
            for id_, p in self.planned.items()
            if p.state.left_alone and p.state is not State.SPARED
        }
        self.keys: dict[str, str] = {}
        self.outputs: dict[str, Mapping[str, Output]] = {}
        self.outcomes: dict[str, Outcome] = {}
        self._twins: dict[str, list[str]] = {}  # address -> others that wait for its result
        self._first_of: dict[str, str] = {}  # key -> the address that is made for all its twins
        self._behind: dict[str, list[str]] = {}
        self._waits: dict[str, set[str]] = {}
        self._needs: dict[str, set[str]] = {}  # those without which an action is not made
        spared = {id_ for id_, p in self.planned.items() if p.state is State.SPARED}
        self.outcomes.update(dict.fromkeys(spared, "spared"))
        for id_, action in self.actions.items():
            if id_ not in self.held and id_ not in spared:
                # what was approved stands whatever becomes of its inputs
                kept = self.planned[id_].state is State.APPROVED
                before = {source.action for source in action.inputs if source.action not in spared}
                before.update(action.unless.scores if action.unless else ())
                self._waits[id_] = set() if kept else before
                self._needs[id_] = self._waits[id_] & {
                    s.action for s in action.inputs if not s.optional
                }
                for source in self._waits[id_]:
                    self._behind.setdefault(source, []).append(id_)

    @property
    def over(self) -> bool:
        """Whether every action that is not held has come to something."""
        return len(self.outcomes) + len(self.held) >= len(self.actions)

    @property
    def count(self) -> Counter[str]:
        """How many actions came to what; those that nobody got to count as skipped."""
        count = Counter(str(outcome) for outcome in self.outcomes.values())
        count["skipped"] += len(self.actions) - len(self.held) - len(self.outcomes)
        return count

    def first(self) -> list[str]:
        """The actions that wait for nothing."""
        return [id_ for id_, waits in self._waits.items() if not waits]

    def inputs(self, id_: str) -> dict[str, Output]:
        """An action's inputs by role, once all have come that will."""
        return {
            source.role: self.outputs[source.action][source.output]
            for source in self.actions[id_].inputs
            if not source.optional or source.output in self.outputs.get(source.action, ())
        }

    def opened_behind(self, id_: str) -> set[str]:
        """Outputs of an action that some action to be made will open."""
        return {
            source.output
            for behind in self._behind.get(id_, ())
            if self.planned[behind].state.may_run
            for source in self.actions[behind].inputs
            if source.action == id_
        }

    def claim(self, id_: str, key: str) -> bool:
        """Whether this action is the one to be made for its key; if not, it shares another's result."""
        other = self._first_of.get(key)
        if other is not None and other not in self.outcomes:
            self._twins.setdefault(other, []).append(id_)
            return False
        self._first_of[key] = id_
        return True

    def twins(self, id_: str) -> list[str]:
        """The actions that share this one's result; they are handed out once."""
        return self._twins.pop(id_, [])

    def settle(self, id_: str, outputs: Mapping[str, Output], outcome: Outcome) -> list[str]:
        """An action has its outputs; returns those that wait for nothing any more."""
        self.outputs[id_] = outputs
        self.outcomes[id_] = outcome
        free = []
        for behind in self._behind.get(id_, ()):
            self._waits[behind].discard(id_)
            if not self._waits[behind] and behind not in self.outcomes:
                free.append(behind)
        return free

    def spare(self, id_: str) -> list[str]:
        """An action is not needed, nor what needs it; returns those that do without and wait no more."""
        return self._leave_out(id_, "spared", "spared")[1]

    def fail(self, id_: str) -> tuple[list[str], list[str]]:
        """An action has failed.

        Returns those behind it, which are skipped, and those that do without it and wait for nothing else.
        """
        return self._leave_out(id_, "failed", "skipped")

    def _leave_out(
        self, id_: str, outcome: Outcome, behind_it: Outcome
    ) -> tuple[list[str], list[str]]:
        self.outcomes[id_] = outcome
        skipped: list[str] = []
        free: list[str] = []
        line = [id_]
        while line:
            lost = line.pop()
            for behind in self._behind.get(lost, ()):
                if behind in self.outcomes:
                    continue
                if lost in self._needs[behind]:
                    self.outcomes[behind] = behind_it
                    skipped.append(behind)
                    line.append(behind)
                    continue
                self._waits[behind].discard(lost)
                if not self._waits[behind]:
                    free.append(behind)
        return skipped, [id_ for id_ in free if id_ not in self.outcomes]
