"""Workers as their parent sees them: started, sent jobs, listened to, ended."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from lorakit import children
from lorakit.execute.seats import Seat
from lorakit.facts.machine.nvidia import VISIBLE
from lorakit.plan.actions import Engine
from lorakit.plan.tasks.job import Job
from lorakit.plan.tasks.task import WorkerTask
from lorakit.plan.workers import WORKERS
from lorakit.store.sources import Read

Inbox = queue.Queue[tuple["WorkerHandle", Mapping[str, Any]]]

_LAST_WORDS = (
    5.0  # s to hear what an ended worker told; only a grandchild could hold its output open
)
# How often a thread of libgomp looks for its next piece of work before it sleeps.  To wake one costs more
# than a small model's layer takes: sleeping at once (OMP_WAIT_POLICY=PASSIVE) more than doubled the time of
# the studio's UNet call on two cores.  Yet libgomp's own 300,000 looks made two processes on the same two
# cores seventy times slower; this many cost them 2.6 times what sleeping would, and nothing to one alone.
# Two that draw side by side, with as many threads each, took 1.5 times as long as one; asleep as long.
_SPINS = 10_000


def worker_environment(given: Mapping[str, str], *, beside: bool = False) -> dict[str, str]:
    """The environment of a worker process, after that of its parent; what a user set there stays.

    One that is `beside` others on the same cores lets go of its own while it waits.
    """
    environment = children.environment(given)
    if beside:
        environment.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if "OMP_WAIT_POLICY" not in environment:
        environment.setdefault("GOMP_SPINCOUNT", str(_SPINS))
    return environment


class WorkerHandle:
    """One worker process. It works for one run at a time, from `begin` to `leave` or `end`.

    What it tells arrives in that run's inbox; the last message is `{"event": "gone"}`. `slot` is its kind.
    """

    def __init__(self, seat: Seat, log: IO[bytes]) -> None:
        command = children.python("lorakit.execute.worker", seat.kind, str(seat.threads))
        environment = worker_environment(os.environ, beside=seat.beside)
        if seat.gpus:
            environment[VISIBLE] = ",".join(seat.gpus)
        # in a session of its own: Ctrl-C in the terminal reaches the parent only
        own: dict[str, Any] = (
            {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
            if os.name == "nt"
            else {"start_new_session": True}
        )
        self.slot = seat.kind
        self.name = seat.name
        self.seat = seat
        self.engine_id = ""
        self.jobs: set[str] = set()
        self.ending = False
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=environment,
            **own,
        )
        self._inbox: Inbox = queue.Queue()  # until a run begins, nobody listens
        self._left = threading.Event()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def begin(self, lock: Path | None, log: Path, inbox: Inbox) -> None:
        """Work for a run: it takes `lock` when it is free, and what libraries print goes to `log`."""
        self._inbox = inbox
        self._send({"do": "begin", "lock": str(lock or ""), "log": str(log.absolute())})

    def leave(self) -> bool:
        """The run is over: let go of its jobs, give the lock back and keep the engine.

        What is in hand is let go at the next step, and until then told to the run. False where that takes
        longer than this kind of worker may take to stop.
        """
        self._left.clear()
        self._send({"do": "leave"})
        if self.jobs and not self._left.wait(WORKERS[self.slot].patience):
            return False
        self.jobs.clear()
        self._inbox = queue.Queue()
        return self.alive

    @property
    def alive(self) -> bool:
        """Whether the process has not ended."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def _listen(self) -> None:
        assert self._process.stdout is not None
        assert self._process.stdin is not None
        with self._process.stdout as lines:
            for line in lines:
                with contextlib.suppress(ValueError):  # a line cut off by a kill
                    self._hear(json.loads(line))
        code = self._process.wait()
        self._left.set()
        with contextlib.suppress(OSError):  # what was not sent yet has nowhere to go
            self._process.stdin.close()
        self._inbox.put((self, {"event": "gone", "code": code}))

    def _hear(self, message: Mapping[str, Any]) -> None:
        if message["event"] == "left":
            self._left.set()
            return
        # between runs nobody hears it, and the next one asks for the engine again
        if message["event"] == "refused" and message["engine"] == self.engine_id:
            self.engine_id = ""
        self._inbox.put((self, message))

    def _send(self, message: Mapping[str, object]) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError, ValueError):  # a worker that died says so through `gone`
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()

    def open(self, engine: Engine, reads: Sequence[Read] = ()) -> None:
        """Have the worker load an engine, unless it has it; `reads` are the files that it is made from."""
        if self.engine_id != engine.id:
            self.engine_id = engine.id
            self._send(
                {"do": "open", "engine": engine.id, "spec": engine.spec.to_json(), "reads": reads}
            )

    def submit(self, job: Job[WorkerTask]) -> None:
        """Send a job."""
        self.jobs.add(job.id)
        self._send({"do": "job", **job.to_json()})

    def end(self) -> None:
        """Close the worker's input, wait as long as its kind of work may take to stop, then kill it."""
        patience = WORKERS[self.slot].patience
        self.ending = True
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listener.join(_LAST_WORDS)
