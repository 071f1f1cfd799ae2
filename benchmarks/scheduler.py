"""What the scheduler itself costs: many workers and many actions, by a simulated clock.

    python benchmarks/scheduler.py [--workers 1,2,4,100,1000] [--actions 10000] [--seconds 1]

Every action takes the same time, on workers that compute nothing; what is timed is a run's crew, its queue
and its slots, asked after each message as the runner asks them. `efficiency` is how much of the workers' time
by that clock went into actions, `scheduler` what deciding took of this machine's processor.
"""

from __future__ import annotations

import argparse
import heapq
import queue
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from lorakit.execute.channels import Channel
from lorakit.execute.crew import Crew
from lorakit.execute.places import ThisMachine
from lorakit.execute.pool import Workers
from lorakit.execute.seats import Seat
from lorakit.execute.workers import Inbox
from lorakit.plan.actions import Action, Engine
from lorakit.plan.cost import Cost
from lorakit.plan.tasks.painted import PaintedTask


@dataclass
class Hand:
    """A worker as far as a crew looks at one."""

    name: str
    engine_id: str = ""
    jobs: set[str] = field(default_factory=set)

    def end(self) -> None:
        """It ends at once."""


class ManyPlaces(ThisMachine):
    """Room for so many workers elsewhere."""

    def __init__(self, workers: int) -> None:
        self._workers = workers

    def gpus(self) -> int:
        """None that the run hands out."""
        return 0

    def count(self, kind: str) -> int:  # noqa: ARG002 - of every kind
        """The most at once."""
        return self._workers

    def name(self, kind: str, home: int) -> str:
        """A name for each."""
        return f"{kind} {home + 1}"

    def here(self, kind: str) -> bool:  # noqa: ARG002 - none is
        """Never."""
        return False

    def seat(self, kind: str, home: int, gpus: tuple[int, ...]) -> Seat:  # noqa: ARG002
        """One thread each."""
        return Seat(kind, self.name(kind, home), 1)

    def channel(self, seat: Seat, log: IO[bytes]) -> Channel:
        """None is ever opened."""
        raise NotImplementedError


class Hands(Workers):
    """Workers that are there as soon as they are asked for."""

    def take(self, seat: Seat, lock: Path | None, log: IO[bytes], inbox: Inbox) -> Any:  # noqa: ARG002
        """One."""
        return Hand(seat.name)

    def give_back(self, worker: Any) -> None:
        """It is forgotten."""


def measure(workers: int, actions: int, seconds: float) -> None:
    """Play a run to its end, and print a line."""
    engine = Engine("encode", id="e")
    task = PaintedTask("digest", 64, 64)
    every = {
        f"step/{n}": Action(f"step/{n}", "step", "", "", None, engine, task, Cost("painted"))
        for n in range(actions)
    }
    with tempfile.TemporaryFile() as log, tempfile.TemporaryDirectory() as folder:
        places = ManyPlaces(workers)
        crew = Crew(every, Hands(places), Path(folder), log, queue.Queue(), lambda *_, **__: None)
        began = time.process_time()
        for id_ in every:
            crew.put(id_)
        clock, done = 0.0, 0
        busy_until: dict[str, float] = {}
        ends: list[tuple[float, str, str]] = []
        while done < actions:
            for slot in crew.ready():
                while (action := slot.take()) is not None:
                    assert slot.worker is not None
                    slot.worker.engine_id = action.engine.id
                    slot.worker.jobs.add(action.id)
                    # a worker does one after the other
                    until = max(clock, busy_until.get(slot.name, 0.0)) + seconds
                    busy_until[slot.name] = until
                    heapq.heappush(ends, (until, slot.name, action.id))
            crew.rest()
            begun = [s for s in crew.slots.values() if s.worker is not None and not s.ready]
            for slot in begun:
                slot.ready = slot.loaded = True
            if begun:
                continue
            clock = ends[0][0]
            while ends and ends[0][0] == clock:  # the runner takes all that is there, too
                _, name, id_ = heapq.heappop(ends)
                done += 1
                slot = crew.slots[name]
                assert slot.worker is not None
                slot.worker.jobs.discard(id_)
                slot.retire()
        spent = time.process_time() - began
        crew.close()
    efficiency = actions * seconds / (clock * workers)
    print(
        f"{workers:7,} workers  {actions:9,} actions  efficiency {efficiency:6.1%}  "
        f"scheduler {spent:7.2f} s, {1000 * spent / actions:7.3f} ms an action"
    )


def main() -> None:
    """Measure each number of workers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", default="1,2,4,100,1000")
    parser.add_argument("--actions", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=1.0)
    asked = parser.parse_args()
    for workers in map(int, asked.workers.split(",")):
        measure(workers, asked.actions, asked.seconds)


if __name__ == "__main__":
    main()
