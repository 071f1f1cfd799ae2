"""The actions that wait for workers of one kind: those with most work behind them first, sorted by engine."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Container, Mapping

from lorakit.plan.actions import Action
from lorakit.plan.waves import chain_lengths

_RESTARTS = 2  # of a worker for the same action

Entry = tuple[
    int, int, str
]  # what goes first is less: its length, its place in the plan, its address


class ActionQueue:
    """What all workers of a kind take from; `deaths` counts workers that died with an action in hand."""

    def __init__(self, actions: Mapping[str, Action]) -> None:
        self.deaths: Counter[str] = Counter()
        self._actions = actions
        self._order = {id_: number for number, id_ in enumerate(actions)}
        self._length = chain_lengths(list(actions.values()))
        self._waiting: dict[str, list[Entry]] = {}  # by engine, but for suspects
        self._suspects: list[Entry] = []

    def __len__(self) -> int:
        return len(self._suspects) + sum(map(len, self._waiting.values()))

    def put(self, id_: str) -> None:
        """Queue an action."""
        entry = (-self._length[id_], self._order[id_], id_)
        line = self._waiting.setdefault(self.engine_of(id_), [])
        heapq.heappush(self._suspects if self.suspect(id_) else line, entry)

    def engine_of(self, id_: str) -> str:
        """The engine that an action needs."""
        return self._actions[id_].engine.id

    def suspect(self, id_: str) -> bool:
        """Whether it was in hand so often when a worker died that it goes alone for its last try."""
        return self.deaths[id_] >= _RESTARTS

    def in_order(self, ids: Container[str]) -> list[str]:
        """Addresses as the plan has them."""
        return [id_ for id_ in self._order if id_ in ids]

    def waiting(self, engine: str) -> int:
        """How many actions wait for an engine."""
        return len(self._waiting.get(engine, ()))

    def first(self, without: Container[str], later: Container[str] = ()) -> Action | None:
        """What goes first, of engines not `without`, and not of those that come `later` if there are others.

        It stays in the queue.
        """
        tops = [line[0] for line in (*self._waiting.values(), self._suspects) if line]
        fitting = [entry for entry in tops if self.engine_of(entry[2]) not in without]
        best = min(
            fitting,
            key=lambda entry: (self.engine_of(entry[2]) in later, entry),
            default=None,
        )
        return self._actions[best[2]] if best else None

    def first_of(self, engine: str) -> Action | None:
        """What goes first of those that may share a worker and need an engine; it stays in the queue."""
        line = self._waiting.get(engine)
        return self._actions[line[0][2]] if line else None

    def remove(self, action: Action) -> Action:
        """Take out one that is first."""
        line = self._suspects if self.suspect(action.id) else self._waiting[action.engine.id]
        heapq.heappop(line)
        return action

    def drop_engine(self, engine: str) -> list[str]:
        """Take out all that needs an engine, in the order in which it would have gone."""
        gone = self._waiting.pop(engine, [])
        gone += [entry for entry in self._suspects if self.engine_of(entry[2]) == engine]
        self._suspects = [e for e in self._suspects if self.engine_of(e[2]) != engine]
        heapq.heapify(self._suspects)
        return [entry[2] for entry in sorted(gone)]

    def drop_all(self) -> list[str]:
        """Take out everything."""
        engines = [*self._waiting, *(self.engine_of(entry[2]) for entry in self._suspects)]
        gone = {id_ for engine in engines for id_ in self.drop_engine(engine)}
        return self.in_order(gone)
