"""The workers of a run: how many of each kind, started as there is work and room, ended when it is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO

from lorakit.execute.action_queue import ActionQueue
from lorakit.execute.events import WorkerState
from lorakit.execute.pool import Workers
from lorakit.execute.run_locks import RunLocks
from lorakit.execute.slots import Slot
from lorakit.execute.turns import gpus_for, granted
from lorakit.execute.workers import Inbox
from lorakit.plan.actions import Action
from lorakit.plan.workers import WORKERS


class Crew:
    """The slots of one run, by name; `gpus` how many it hands out, 0 where workers compute on the CPU.

    `tell` takes an event's class and values.
    """

    def __init__(
        self,
        actions: Mapping[str, Action],
        workers: Workers,
        locks: Path,
        log: IO[bytes],
        inbox: Inbox,
        tell: Callable[..., None],
    ) -> None:
        self.slots: dict[str, Slot] = {}
        self.gpus = workers.places.gpus()
        self._actions, self._places = actions, workers.places
        self._workers, self._log, self._inbox, self._tell = workers, log, inbox, tell
        self._kinds: dict[str, list[Slot]] = {}
        self._locks = RunLocks(locks)
        self._waiting: set[str] = set()  # kinds whose lock another run has

    @property
    def busy(self) -> bool:
        """Whether any worker has jobs in hand."""
        return any(slot.busy for slot in self.slots.values())

    @property
    def several(self) -> bool:
        """Whether there are kinds of which several workers may be at work."""
        return any(len(slots) > 1 for slots in self._kinds.values())

    def expect(self, kind: str) -> list[Slot]:
        """The slots of a kind, whose first worker starts at once, while others still plan or draw.

        On GPUs it starts when it is known which one is its own, and elsewhere when there is work for it.
        """
        if kind not in self._kinds:
            queue, slots = ActionQueue(self._actions), list[Slot]()
            for home in range(self._places.count(kind)):
                Slot(kind, queue, slots, self._places.name(kind, home))
            self._kinds[kind] = slots
            self.slots |= {slot.name: slot for slot in slots}
            if self._places.here(kind) and not (self.gpus and WORKERS[kind].torch):
                self._start(slots[0], ())
        return self._kinds[kind]

    def put(self, id_: str) -> str:
        """Queue an action; why it cannot be made, where its kind of worker has been given up."""
        slots = self.expect(self._actions[id_].engine.slot)
        if all(slot.given_up for slot in slots):
            return slots[0].given_up
        slots[0].put(id_)
        return ""

    def ready(self) -> Iterator[Slot]:
        """The slots whose workers may be given work; then workers are started for what is left."""
        for slot in list(self.slots.values()):
            if not slot.ready or not slot.waits or not self._fits(slot):
                continue
            if self._holds_lock(slot):
                yield slot
        for slot in list(self.slots.values()):
            if slot.wants_a_worker:
                self._begin(slot)

    def rest(self) -> None:
        """Give back the locks of workers that are ended when they have nothing more to do."""
        for kind, slots in self._kinds.items():
            worker = WORKERS[kind]
            if (worker.fresh or worker.leaves) and not any(s.busy or s.waits for s in slots):
                self._locks.release(kind)

        self._make_room()

    def _make_room(self) -> None:
        """There is room for so many workers elsewhere, of whatever kind: who has nothing to do makes way."""
        away = [s for s in self.slots.values() if s.worker and not self._places.here(s.kind.name)]
        if all(slot.ready for slot in away):
            return
        for slot in away:
            if not slot.busy and not slot.waits:
                slot.make_way()

    def close(self) -> None:
        """The run needs its workers no more: each waits for the next run, or ends."""
        for slot in self.slots.values():
            if slot.worker is not None:
                self._workers.give_back(slot.worker)
        self._locks.close()

    def _begin(self, slot: Slot) -> None:
        if not self._places.here(slot.kind.name):
            self._start(slot, tuple(range(gpus_for(slot))))
            return
        if not (self.gpus and slot.kind.torch):
            self._start(slot, ())
            return
        gpus = granted(slot, list(self.slots.values()), self.gpus)
        if gpus is not None:
            self._start(slot, gpus)

    def _start(self, slot: Slot, gpus: tuple[int, ...]) -> None:
        kind = slot.kind
        locked = kind.torch and self._places.here(kind.name)
        lock = self._locks.own(kind.name, slot.home) if locked else None
        seat = self._places.seat(kind.name, slot.home, gpus)
        slot.worker = self._workers.take(seat, lock, self._log, self._inbox)
        slot.gpus = gpus if self.gpus else ()  # those that the run hands out
        slot.awaited = not slot.others_work
        self._tell(WorkerState, kind.name, "starting", worker=slot.name)

    def _holds_lock(self, slot: Slot) -> bool:
        """Whether the run has the lock of a worker's kind; where another has it, that is told once."""
        name = slot.kind.name
        if not slot.kind.torch or self._locks.hold(name):
            self._waiting.discard(name)
            return True
        if name not in self._waiting:
            self._waiting.add(name)
            self._tell(WorkerState, name, "waiting", worker=slot.name)
        return False

    def _fits(self, slot: Slot) -> bool:
        """Whether an idle worker has the GPUs that its next action asks for; it makes way if not."""
        if not slot.gpus or slot.busy or len(slot.gpus) == gpus_for(slot):
            return True
        slot.make_way()
        return False
