"""A slot: the place of one worker, which takes from a queue that it shares with others of its kind."""

from __future__ import annotations

from lorakit.execute.action_queue import ActionQueue
from lorakit.execute.workers import WorkerHandle
from lorakit.plan.actions import Action
from lorakit.plan.engine_specs import DrawingSpec
from lorakit.plan.workers import WORKERS

_RESTARTS = 2  # of a worker that had nothing in hand
_LOSSES = 10  # of what its workers ran on
_WAVES = 2  # of frames that a worker holds where others draw as well: one under way, one to follow
_FEW = 8  # other jobs that it holds then


class Slot:
    """The place of one worker; `worker` is None before it starts and after it is given up.

    `name` is what a user reads, `home` which of its kind it is, from 0 on; `gpus` are those that its worker
    may use, by number. `slots` are all that share its queue, itself among them. With `awaited` its worker was
    started when no other could do anything yet, and part of the work is left for it.
    """

    def __init__(
        self, kind: str, queue: ActionQueue, slots: list[Slot] | None = None, name: str = ""
    ) -> None:
        self.slots = [] if slots is None else slots
        self.home = len(self.slots)
        self.slots.append(self)
        self.name = name or kind
        self.kind = WORKERS[kind]
        self.queue = queue
        self.worker: WorkerHandle | None = None
        self.gpus: tuple[int, ...] = ()
        self.ready = False
        self.loaded = False  # the engine that it was told to open
        self.awaited = False
        self.yields = False  # to another kind of worker: it begins nothing more
        self.loading = ""
        self.given_up = ""  # why no worker is started any more
        self.refused: set[str] = set()  # engines that could not be loaded here
        self._deaths = self._losses = 0

    @property
    def busy(self) -> bool:
        """Whether its worker has jobs in hand."""
        return self.worker is not None and bool(self.worker.jobs)

    @property
    def waits(self) -> bool:
        """Whether there are actions that its worker could begin; asked of each slot after each message."""
        return self.queue.first(self.refused) is not None

    @property
    def next(self) -> Action | None:
        """What its worker would begin if it had nothing in hand."""
        held = self.worker.engine_id if self.worker is not None else ""
        others = {s.worker.engine_id for s in self.slots if s is not self and s.worker is not None}
        return self.queue.first(self.refused, others - {held})

    def put(self, id_: str) -> None:
        """Queue an action for it and those of its kind."""
        self.queue.put(id_)

    def take(self) -> Action | None:
        """The next action its worker can begin; None if it is full, or has to finish others first.

        A worker changes its engine only when it is empty, so what fits the engine it holds goes first; of
        several workers each opens one that no other holds, if it can.  What may be ending workers goes by
        itself, so that only it is lost.
        """
        worker = self.worker
        if worker is None or not self.ready or self.yields:
            return None
        if worker.jobs:
            if len(worker.jobs) >= self.kind.jobs or any(map(self.queue.suspect, worker.jobs)):
                return None
            chosen = self.queue.first_of(worker.engine_id)
        else:
            chosen = self.next
        if chosen is None or len(worker.jobs) >= self._room(chosen):
            return None
        return self.queue.remove(chosen)

    def _room(self, action: Action) -> int:
        """How many jobs it may hold: of what several workers can do it takes its share."""
        if len(self.slots) == 1:
            return self.kind.jobs
        spec, engine = action.engine.spec, action.engine.id
        ahead = _WAVES * spec.batch_size if isinstance(spec, DrawingSpec) else _FEW
        if self.worker is not None and len(self.worker.jobs) >= ahead:
            return ahead  # whatever its share is: to look at all others would be for nothing
        sharing = [s for s in self.slots if s is not self and s.shares(engine)]
        held = sum(len(s.worker.jobs) for s in [self, *sharing] if s.worker is not None)
        share = -(-(held + self.queue.waiting(engine)) // (1 + len(sharing)))
        return min(self.kind.jobs, ahead, max(1, share))

    def shares(self, engine: str) -> bool:
        """Whether its worker does what needs an engine, or soon will."""
        if self.worker is None or self.yields or engine in self.refused:
            return False
        return self.worker.engine_id in ("", engine) and (self.loaded or self.awaited)

    @property
    def wants_a_worker(self) -> bool:
        """Whether its last worker made way or died, or was never started, and there is more to do.

        Where no other can work yet, each action that waits is worth a worker; else only what they leave.
        """
        if self.worker is not None or self.given_up or not self.waits:
            return False
        started = [s for s in self.slots if s.worker is not None]
        return len(self.queue) > (0 if self.others_work else len(started))

    @property
    def others_work(self) -> bool:
        """Whether another worker of its kind has loaded an engine."""
        return any(s.loaded for s in self.slots if s is not self)

    def retire(self) -> None:
        """Let the worker go where each job is to have a fresh one, or where nothing is left to do."""
        idle = self.kind.leaves and not self.busy and not self.waits
        if (self.kind.fresh or idle or (self.yields and not self.busy)) and self.worker is not None:
            self.make_way()

    def make_way(self) -> None:
        """End the worker, which frees what it holds; another is started where there is more to do."""
        assert self.worker is not None
        self.worker.end()
        self._vacate()

    def _vacate(self) -> None:
        self.worker, self.ready, self.loaded, self.yields = None, False, False, False
        self.gpus = ()

    def refuse(self, engine: str) -> list[str]:
        """Its worker cannot load an engine, which is left to others of its kind.

        Returns what cannot be made since no other can load it either.
        """
        assert self.worker is not None
        self.worker.engine_id = ""
        self.loaded = False
        self.refused.add(engine)
        in_hand = self.queue.in_order(self.worker.jobs)
        self.worker.jobs.clear()
        if any(not s.given_up and engine not in s.refused for s in self.slots):
            for id_ in in_hand:
                self.queue.put(id_)
            return []
        return in_hand + self.queue.drop_engine(engine)

    def lose(self, how: str) -> dict[str, str]:
        """What its worker ran on is gone, which is nobody's fault: what it had in hand is queued again.

        Returns what can not be made any more, and why: where that happened too often to the last slot.
        """
        assert self.worker is not None
        for id_ in self.queue.in_order(self.worker.jobs):
            self.put(id_)
        self._vacate()
        self._losses += 1
        if self._losses > _LOSSES:
            self.given_up = how
            if all(s.given_up for s in self.slots):
                return dict.fromkeys(self.queue.drop_all(), how)
        return {}

    def bury(self, code: int, why: str) -> dict[str, str]:
        """The worker died. Queues what it had in hand once more, unless that is no use.

        Returns what can not be made any more, and why. A worker that dies with nothing in hand, or says that
        it cannot begin, will not do better next time: then the slot is given up, and the last one takes with
        it all that waits.
        """
        assert self.worker is not None
        in_hand = self.queue.in_order(self.worker.jobs)
        self._vacate()
        deaths = self.queue.deaths
        for id_ in in_hand:
            deaths[id_] += 1
            if why and len(in_hand) > 1:
                deaths[id_] = max(deaths[id_], _RESTARTS)  # at once each by itself
        reason = why or self._ended_by_itself(code)
        hopeless = bool(why) and len(in_hand) < 2
        lost = [id_ for id_ in in_hand if hopeless or deaths[id_] > _RESTARTS]
        for id_ in in_hand:
            if id_ not in lost:
                self.put(id_)
        self._deaths += not in_hand
        if not in_hand and (why or self._deaths > _RESTARTS):
            self.given_up = reason
            if all(s.given_up for s in self.slots):
                lost += self.queue.drop_all()
        return dict.fromkeys(lost, reason)

    def _ended_by_itself(self, code: int) -> str:
        reason = f"the {self.name} worker ended by itself ({how_it_ended(code)})"
        if code == -9:
            reason += f"; was memory short? {self.kind.way_out}"
        return reason


def how_it_ended(code: int) -> str:
    """A process's exit code in words."""
    return f"signal {-code}" if code < 0 else f"code {code}"
