"""A slot: one worker, and the actions that wait for it, those with most work behind them first."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping

from lorakit.execute.workers import WorkerHandle
from lorakit.plan.actions import Action
from lorakit.plan.waves import chain_lengths

_OUTSTANDING = 64  # jobs a worker may hold: enough to fill its waves, few enough to stop quickly
_RESTARTS = 2
_SMALLER = "try a smaller model or picture size"
_LESS_MEMORY = {
    "train": "write half the batch_size and twice the gradient_accumulation_steps"
}  # what to change where the system ended a worker that took too much
_FRESH = ("train",)  # slots whose worker does one job and makes way for another
_LEAVING = ("encode",)  # slots whose worker leaves when nothing waits: memory is needed elsewhere


class Slot:
    """The queue of one worker; `worker` is None before it starts and after it is given up."""

    def __init__(self, name: str, actions: Mapping[str, Action]) -> None:
        self.name = name
        self.worker: WorkerHandle | None = None
        self.ready = False
        self.loading = ""
        self.given_up = ""  # why no worker is started any more
        self.fresh = name in _FRESH
        self._leaves = name in _LEAVING
        self._deaths = 0
        self._actions = actions
        self._order = {id_: number for number, id_ in enumerate(actions)}
        self._length = chain_lengths(list(actions.values()))
        self._waiting: list[tuple[int, int, str]] = []

    @property
    def busy(self) -> bool:
        """Whether its worker has jobs in hand."""
        return self.worker is not None and bool(self.worker.jobs)

    def put(self, id_: str) -> None:
        """Queue an action."""
        heapq.heappush(self._waiting, (-self._length[id_], self._order[id_], id_))

    def take(self) -> Action | None:
        """The next action its worker can begin; None if it is full, or has to finish others first.

        A worker changes its engine only when it is empty, so what fits the engine it holds goes first.
        """
        worker = self.worker
        if (
            worker is None
            or not self.ready
            or not self._waiting
            or len(worker.jobs) >= (1 if self.fresh else _OUTSTANDING)
        ):
            return None
        if not worker.jobs or self._engine(self._waiting[0]) == worker.engine_id:
            return self._actions[heapq.heappop(self._waiting)[2]]
        fitting = [entry for entry in self._waiting if self._engine(entry) == worker.engine_id]
        if not fitting:
            return None
        chosen = min(fitting)
        self._drop([chosen])
        return self._actions[chosen[2]]

    @property
    def wants_a_worker(self) -> bool:
        """Whether its last worker made way and there is more to do."""
        gone = (self.fresh or self._leaves) and self.worker is None
        return gone and bool(self._waiting) and not self.given_up

    def retire(self) -> None:
        """Let the worker go where each job is to have a fresh one, or where nothing is left to do."""
        idle = self._leaves and not self.busy and not self._waiting
        if (self.fresh or idle) and self.worker is not None:
            self.worker.end()
            self.worker, self.ready = None, False

    def refuse(self, engine: str) -> list[str]:
        """Take out all that needs an engine which cannot be loaded, and what the worker has in hand."""
        entries = [entry for entry in self._waiting if self._engine(entry) == engine]
        self._drop(entries)
        assert self.worker is not None
        self.worker.engine_id = ""
        in_hand = sorted(self.worker.jobs, key=self._order.__getitem__)
        self.worker.jobs.clear()
        return in_hand + [entry[2] for entry in sorted(entries)]

    def bury(self, code: int, why: str) -> list[str]:
        """The worker died. Queues what it had in hand, or, where that is no use, gives the slot up.

        Returns what can not be made any more.
        """
        assert self.worker is not None
        in_hand, self.worker, self.ready = self.worker.jobs, None, False
        self._deaths += 1
        if not why and self._deaths <= _RESTARTS:
            for id_ in in_hand:
                self.put(id_)
            return []
        self.given_up = why or f"the {self.name} worker ended by itself ({how_it_ended(code)})"
        if not why and code == -9:
            self.given_up += f"; was memory short? {_LESS_MEMORY.get(self.name, _SMALLER)}"
        lost = [*in_hand, *(entry[2] for entry in sorted(self._waiting))]
        self._waiting.clear()
        return lost

    def _engine(self, entry: tuple[int, int, str]) -> str:
        return self._actions[entry[2]].engine.id

    def _drop(self, entries: Iterable[tuple[int, int, str]]) -> None:
        gone = set(entries)
        self._waiting = [entry for entry in self._waiting if entry not in gone]
        heapq.heapify(self._waiting)


def how_it_ended(code: int) -> str:
    """A process's exit code in words."""
    return f"signal {-code}" if code < 0 else f"code {code}"
