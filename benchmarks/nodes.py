"""Workers on nodes beside those here: what an action costs on its way there, and what several come to.

    python -m benchmarks.nodes [--size 1000000] [--jobs 60] [--workers 1,2,4] [--seconds 2]

The first row hands the worker that assembles jobs that copy a picture of `size` bytes, one after the
other, here and through an actor of Ray's on this machine; each picture is new to the node. What is told is
the median of a job's time from its message to its end. The others have workers speak sentences by a program
that sleeps: efficiency is how much of their time went into actions, by what one takes a worker here alone.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import queue
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from lorakit.cluster.ray_places import RayPlaces
from lorakit.cluster.settings import RaySettings
from lorakit.execute.crew import Crew
from lorakit.execute.places import ThisMachine
from lorakit.execute.pool import Workers
from lorakit.execute.seats import Seat
from lorakit.execute.workers import Inbox, WorkerHandle
from lorakit.kinds.sheet import ASSEMBLY
from lorakit.plan.actions import Action
from lorakit.plan.cost import Cost
from lorakit.plan.tasks.gate import Floors, GateTask
from lorakit.plan.tasks.job import Job
from lorakit.plan.tasks.speech import SpeechTask
from lorakit.store.store import Store

KIND = "assemble"
SPEAKS = (
    "import sys, time; time.sleep(float(sys.argv[1])); "
    "sys.stdout.buffer.write(open(sys.argv[2], 'rb').read())"
)


class Everywhere(RayPlaces):
    """A cluster whose nodes assemble as well, so many of them."""

    def here(self, kind: str) -> bool:  # noqa: ARG002 - none is
        """Never."""
        return False


@contextmanager
def worker_of(places: ThisMachine, log: Path) -> Iterator[tuple[WorkerHandle, Inbox]]:
    """A worker that is ready, with what it tells."""
    inbox: Inbox = queue.Queue()
    seat = Seat(KIND, KIND, 1)
    with log.open("ab") as file:
        worker = WorkerHandle(seat, places.channel(seat, file))
    worker.begin(None, log, inbox)
    worker.open(ASSEMBLY)
    while inbox.get(timeout=120)[1].get("state") != "ready":
        pass
    yield worker, inbox
    worker.end()


def processor() -> float:
    """Seconds of the CPU that this process and all below it have taken: worker, actor, Ray's own."""
    taken = 0.0
    me = psutil.Process()
    for process in (me, *me.children(recursive=True)):
        with contextlib.suppress(psutil.Error):
            times = process.cpu_times()
            taken += times.user + times.system
    return taken


def one_after_the_other(
    places: ThisMachine, jobs: Sequence[Job[Any]], log: Path
) -> tuple[list[float], float]:
    """Seconds of each job from its message to its end, and of the CPU for each."""
    seconds = []
    with worker_of(places, log) as (worker, inbox):
        before = processor()
        for job in jobs:
            began = time.perf_counter()
            worker.submit(job)
            while (told := inbox.get(timeout=120)[1])["event"] != "ended":
                assert told["event"] != "gone", told
            assert "error" not in told, told
            seconds.append(time.perf_counter() - began)
        busy = processor() - before
    return seconds, busy / len(jobs)


def copies(folder: Path, size: int, count: int) -> Iterator[Job[Any]]:
    """Jobs that copy a picture, each another."""
    store = Store(folder)
    store.prepare()

    def kept(data: bytes) -> str:
        return str(store.object_path(store.put(data).digest))

    score, latents = kept(b"{}"), kept(b"latents")
    task = GateTask(Floors(), 1)
    for number in range(count):
        inputs = {"picture_1": kept(os.urandom(size)), "latents_1": latents, "score_1": score}
        home = folder / "jobs" / f"{number:06d}"
        (home / "out").mkdir(parents=True)
        yield Job(f"{number}", "k", task, inputs, home / "out", home / "keep", home / "logs")


def overhead(folder: Path, there: Everywhere, size: int, count: int) -> None:
    """Print what an action costs here, and through Ray."""
    medians, of_cpu = [], []
    for name, places in (("here", ThisMachine()), ("ray", there)):
        jobs = list(copies(folder / name, size, count))
        seconds, busy = one_after_the_other(places, jobs, folder / "log")
        medians.append(statistics.median(seconds))
        of_cpu.append(busy)
    here, ray = medians
    print(
        f"an action of {size:,} bytes in and out: {1e3 * here:.1f} ms here, {1e3 * ray:.1f} ms through Ray, "
        f"overhead {1e3 * (ray - here):.1f} ms (median of {count}); "
        f"{1e3 * of_cpu[0]:.1f} and {1e3 * of_cpu[1]:.1f} ms of the CPU"
    )


def sentence(folder: Path, seconds: float) -> SpeechTask:
    """A sentence that a program takes so long to speak."""
    import wave

    spoken = folder / "spoken.wav"
    with wave.open(str(spoken), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes(bytes(9600))
    words = (sys.executable, "-I", "-S", "-c", SPEAKS, str(seconds), str(spoken))
    return SpeechTask("A fox.", "nobody", "sleep", command=words)


def efficiency(folder: Path, there: Everywhere, workers: int, each: int, seconds: float) -> None:
    """Print how much of the workers' time went into actions."""
    task = sentence(folder, seconds)
    home = folder / f"{workers}"

    def job(name: str) -> Job[Any]:
        own = home / name
        (own / "out").mkdir(parents=True)
        return Job(name, "k", task, {}, own / "out", own / "keep", own / "logs")

    alone = statistics.median(
        one_after_the_other(ThisMachine(), [job(f"here-{n}") for n in range(3)], folder / "log")[0]
    )
    every = {
        f"{n}": Action(f"{n}", "step", "", "", None, ASSEMBLY, task, Cost("speech"))
        for n in range(each * workers)
    }
    inbox: Inbox = queue.Queue()
    log = (folder / "log").open("ab")
    pool = Workers(there)
    crew = Crew(every, pool, folder / "locks", log, inbox, lambda *_, **__: None)
    crew.expect(KIND)
    for _ in range(workers - len(crew.slots)):
        raise SystemExit(f"the cluster has room for {len(crew.slots)} workers")
    done, began = 0, 0.0

    def listen() -> int:
        worker, told = inbox.get(timeout=300)
        assert worker is not None
        slot = crew.slots[worker.name]
        match told["event"]:
            case "state" if told["state"] == "starting":
                slot.ready = True
            case "state" if told["state"] == "ready":
                slot.loaded = True
            case "ended":
                assert "error" not in told, told
                worker.jobs.discard(told["id"])
                slot.retire()
                return 1
            case "gone":
                raise SystemExit(f"a worker is gone: {told}")
        return 0

    for id_ in every:
        crew.put(id_)
    list(crew.ready())  # all are started
    while sum(slot.ready for slot in crew.slots.values()) < workers:
        listen()
    began = time.perf_counter()
    while done < len(every):
        for slot in crew.ready():
            while (action := slot.take()) is not None:
                assert slot.worker is not None
                slot.worker.open(action.engine)
                slot.worker.submit(job(action.id))
        done += listen()
    wall = time.perf_counter() - began
    crew.close()
    pool.close()
    log.close()
    print(
        f"{workers} workers, {len(every)} actions of {alone:.2f} s: {wall:.2f} s, "
        f"efficiency {len(every) * alone / (wall * workers):.1%}"
    )


def main() -> None:
    """Measure each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=1_000_000)
    parser.add_argument("--jobs", type=int, default=60)
    parser.add_argument("--workers", default="1,2,4")
    parser.add_argument("--each", type=int, default=8, help="actions a worker")
    parser.add_argument("--seconds", type=float, default=2.0, help="that an action sleeps")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)

        def measure(workers: int, what: Callable[[Everywhere], None]) -> None:
            from lorakit.facts.machine.this_machine import this_machine

            cpus = this_machine().cores / max(workers, 1)
            settings = RaySettings(folder=str(folder / "node"), cpus=cpus, workers=workers)
            with Everywhere(settings) as there:
                what(there)

        if asked.jobs:
            measure(1, lambda there: overhead(folder, there, asked.size, asked.jobs))
        for workers in map(int, filter(None, asked.workers.split(","))):

            def row(there: Everywhere, workers: int = workers) -> None:
                efficiency(folder, there, workers, asked.each, asked.seconds)

            measure(workers, row)
        shutil.rmtree(folder / "node", ignore_errors=True)


if __name__ == "__main__":
    main()
