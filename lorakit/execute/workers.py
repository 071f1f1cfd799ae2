"""Workers as their parent sees them: started, sent jobs, listened to, ended."""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lorakit.execute.channels import Channel
from lorakit.execute.seats import Seat
from lorakit.plan.actions import Engine
from lorakit.plan.tasks.job import Job
from lorakit.plan.tasks.task import WorkerTask
from lorakit.plan.workers import WORKERS
from lorakit.store.sources import Read

# what workers tell, and who; nobody where it is told by a thread of the run's own
Inbox = queue.Queue[tuple["WorkerHandle | None", Mapping[str, Any]]]

_LAST_WORDS = (
    5.0  # s to hear what an ended worker told; only a grandchild could hold its output open
)


class WorkerHandle:
    """One worker. It works for one run at a time, from `begin` to `leave` or `end`.

    What it tells arrives in that run's inbox; the last message is `{"event": "gone"}`. `slot` is its kind.
    """

    def __init__(self, seat: Seat, channel: Channel) -> None:
        self.slot = seat.kind
        self.name = seat.name
        self.seat = seat
        self.engine_id = ""
        self.jobs: set[str] = set()
        self.ending = False
        self._channel = channel
        self._inbox: Inbox = queue.Queue()  # until a run begins, nobody listens
        self._lock = threading.Lock()  # on which inbox is whose
        self._left = threading.Event()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def begin(self, lock: Path | None, log: Path, inbox: Inbox) -> None:
        """Work for a run: it takes `lock` when it is free, and what libraries print goes to `log`."""
        with self._lock:
            before, self._inbox = self._inbox, inbox
            while not before.empty():
                message = before.get()
                if message[1]["event"] in ("broken", "gone"):  # it ended before it could begin
                    inbox.put(message)
        self._channel.begin(lock, log)

    def leave(self) -> bool:
        """The run is over: let go of its jobs, give the lock back and keep the engine.

        What is in hand is let go at the next step, and until then told to the run. False where that takes
        longer than this kind of worker may take to stop.
        """
        self._left.clear()
        self._channel.send({"do": "leave"})
        if self.jobs and not self._left.wait(WORKERS[self.slot].patience):
            return False
        self.jobs.clear()
        with self._lock:
            self._inbox = queue.Queue()
        return self.alive

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return self._channel.alive

    @property
    def pid(self) -> int:
        """A number of its own; of a process here, its id."""
        return self._channel.pid

    def _listen(self) -> None:
        for message in self._channel.messages():
            if message["event"] == "gone":
                self._left.set()
            self._hear(message)

    def _hear(self, message: Mapping[str, Any]) -> None:
        if message["event"] == "left":
            self._left.set()
            return
        # between runs nobody hears it, and the next one asks for the engine again
        if message["event"] == "refused" and message["engine"] == self.engine_id:
            self.engine_id = ""
        with self._lock:
            self._inbox.put((self, message))

    def open(self, engine: Engine, reads: Sequence[Read] = ()) -> None:
        """Have the worker load an engine, unless it has it; `reads` are the files that it is made from."""
        if self.engine_id != engine.id:
            self.engine_id = engine.id
            self._channel.send(
                {"do": "open", "engine": engine.id, "spec": engine.spec.to_json(), "reads": reads}
            )

    def submit(self, job: Job[WorkerTask]) -> None:
        """Send a job."""
        self.jobs.add(job.id)
        self._channel.send({"do": "job", **job.to_json()})

    def end(self) -> None:
        """Close the worker's input, wait as long as its kind of work may take to stop, then kill it."""
        self.ending = True
        self._channel.close()
        if not self._channel.wait(WORKERS[self.slot].patience):
            self._channel.kill()
        self._listener.join(_LAST_WORDS)
