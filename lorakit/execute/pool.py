"""Workers that outlive a run: the next one finds torch imported and the model loaded.

A run by itself starts its workers and ends them. A program that makes one run after another (one that
watches a storyboard, a notebook, tests) hands a `Workers` to each.
"""

from __future__ import annotations

import os
import queue
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from lorakit.execute.places import Places, ThisMachine
from lorakit.execute.seats import Seat, first_seat
from lorakit.execute.workers import Inbox, WorkerHandle
from lorakit.plan.actions import Engine
from lorakit.plan.workers import WORKERS
from lorakit.store.sources import Read


class Workers:
    """One idle worker of a name, kept until `close`; between runs they hold no lock.

    `places` says where they are.
    """

    def __init__(self, places: Places | None = None) -> None:
        self.places = places or ThisMachine()
        self._idle: dict[str, WorkerHandle] = {}

    def take(self, seat: Seat, lock: Path | None, log: IO[bytes], inbox: Inbox) -> WorkerHandle:
        """A worker for a seat, started if none waits; it holds `lock` until it leaves the run."""
        waiting = self._idle.pop(seat.name, None)
        if waiting is not None and waiting.seat != seat:
            waiting.end()
            waiting = None
        if waiting is None or not waiting.alive:
            waiting = WorkerHandle(seat, self.places.channel(seat, log))
        waiting.begin(lock, Path(log.name), inbox)
        return waiting

    def give_back(self, worker: WorkerHandle) -> None:
        """A run needs this worker no more: it waits for the next, or ends if it is not idle."""
        dropping = not worker.jobs or WORKERS[worker.slot].drops
        if dropping and worker.name not in self._idle and worker.alive and worker.leave():
            self._idle[worker.name] = worker
        else:
            worker.end()

    def warm(self, engine: Engine, reads: Sequence[Read] = ()) -> None:
        """Have a worker begin to load an engine, made from the files `reads`, before a run asks for it.

        Where it cannot, the run hears why.
        """
        seat = first_seat(engine.slot)
        if seat.name in self._idle:
            return
        with Path(os.devnull).open("ab") as log:
            worker = self.take(seat, None, log, queue.Queue())
        worker.open(engine, reads)
        self.give_back(worker)

    def close(self) -> None:
        """End all workers."""
        while self._idle:
            self._idle.popitem()[1].end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
