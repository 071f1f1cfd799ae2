"""A slot: one worker, and the actions that wait for it, those with most work behind them first."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping

from lorakit.execute.workers import WorkerHandle
from lorakit.plan.actions import Action
from lorakit.plan.waves import chain_lengths
from lorakit.plan.workers import WORKERS

_RESTARTS = 2  # of a worker for the same action


class Slot:
    """The queue of one worker; `worker` is None before it starts and after it is given up."""

    def __init__(self, name: str, actions: Mapping[str, Action]) -> None:
        self.name = name
        self.worker: WorkerHandle | None = None
        self.ready = False
        self.loading = ""
        self.given_up = ""  # why no worker is started any more
        self.kind = WORKERS[name]
        self._deaths: Counter[str] = Counter()  # by action; "" where the worker had none in hand
        self._actions = actions
        self._order = {id_: number for number, id_ in enumerate(actions)}
        self._length = chain_lengths(list(actions.values()))
        self._waiting: list[tuple[int, int, str]] = []

    @property
    def busy(self) -> bool:
        """Whether its worker has jobs in hand."""
        return self.worker is not None and bool(self.worker.jobs)

    @property
    def waits(self) -> bool:
        """Whether there are actions that its worker could begin."""
        return bool(self._waiting)

    @property
    def on_device(self) -> bool:
        """Whether its worker has something in the device's memory."""
        return self.kind.torch and self.worker is not None and bool(self.worker.engine_id)

    def put(self, id_: str) -> None:
        """Queue an action."""
        heapq.heappush(self._waiting, (-self._length[id_], self._order[id_], id_))

    def take(self) -> Action | None:
        """The next action its worker can begin; None if it is full, or has to finish others first.

        A worker changes its engine only when it is empty, so what fits the engine it holds goes first.
        What may be ending workers goes by itself, so that only it is lost.
        """
        worker = self.worker
        if (
            worker is None
            or not self.ready
            or not self._waiting
            or len(worker.jobs) >= self.kind.jobs
            or any(map(self._suspect, worker.jobs))
        ):
            return None
        first = self._waiting[0]
        fits = self._engine(first) == worker.engine_id and not self._suspect(first[2])
        if fits or not worker.jobs:
            return self._actions[heapq.heappop(self._waiting)[2]]
        fitting = [
            entry
            for entry in self._waiting
            if self._engine(entry) == worker.engine_id and not self._suspect(entry[2])
        ]
        if not fitting:
            return None
        chosen = min(fitting)
        self._drop([chosen])
        return self._actions[chosen[2]]

    @property
    def wants_a_worker(self) -> bool:
        """Whether its last worker made way or died and there is more to do."""
        return self.worker is None and bool(self._waiting) and not self.given_up

    def retire(self) -> None:
        """Let the worker go where each job is to have a fresh one, or where nothing is left to do."""
        idle = self.kind.leaves and not self.busy and not self._waiting
        if (self.kind.fresh or idle) and self.worker is not None:
            self.make_way()

    def make_way(self) -> None:
        """End the worker, which frees what it holds; another is started where there is more to do."""
        assert self.worker is not None
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

    def bury(self, code: int, why: str) -> dict[str, str]:
        """The worker died. Queues what it had in hand once more, unless that is no use.

        Returns what can not be made any more, and why. A worker that dies with nothing in hand, or says that
        it cannot begin, will not do better next time: then the slot is given up.
        """
        assert self.worker is not None
        in_hand = sorted(self.worker.jobs, key=self._order.__getitem__)
        self.worker, self.ready = None, False
        for id_ in in_hand or [""]:
            self._deaths[id_] += 1
            if why and len(in_hand) > 1:
                self._deaths[id_] = max(self._deaths[id_], _RESTARTS)  # at once each by itself
        reason = why or self._ended_by_itself(code)
        hopeless = bool(why) and len(in_hand) < 2
        lost = [id_ for id_ in in_hand if hopeless or self._deaths[id_] > _RESTARTS]
        for id_ in in_hand:
            if id_ not in lost:
                self.put(id_)
        if not in_hand and (why or self._deaths[""] > _RESTARTS):
            self.given_up = reason
            lost += [entry[2] for entry in sorted(self._waiting)]
            self._waiting.clear()
        return dict.fromkeys(lost, reason)

    def _ended_by_itself(self, code: int) -> str:
        reason = f"the {self.name} worker ended by itself ({how_it_ended(code)})"
        if code == -9:
            reason += f"; was memory short? {self.kind.way_out}"
        return reason

    def _suspect(self, id_: str) -> bool:
        """Whether it was in hand so often when a worker died that it goes alone for its last try."""
        return self._deaths[id_] >= _RESTARTS

    def _engine(self, entry: tuple[int, int, str]) -> str:
        return self._actions[entry[2]].engine.id

    def _drop(self, entries: Iterable[tuple[int, int, str]]) -> None:
        gone = set(entries)
        self._waiting = [entry for entry in self._waiting if entry not in gone]
        heapq.heapify(self._waiting)


def how_it_ended(code: int) -> str:
    """A process's exit code in words."""
    return f"signal {-code}" if code < 0 else f"code {code}"
