"""The way to one worker, wherever it runs: messages go there and come back until it has ended."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Protocol

from lorakit import children
from lorakit.execute.seats import Seat
from lorakit.facts.machine.nvidia import VISIBLE

Message = Mapping[str, Any]

# How often a thread of libgomp looks for its next piece of work before it sleeps.  To wake one costs more
# than a small model's layer takes: sleeping at once (OMP_WAIT_POLICY=PASSIVE) more than doubled the time of
# the studio's UNet call on two cores.  Yet libgomp's own 300,000 looks made two processes on the same two
# cores seventy times slower; this many cost them 2.6 times what sleeping would, and nothing to one alone.
# Two that draw side by side, with as many threads each, took 1.5 times as long as one; asleep as long.
_SPINS = 10_000


class Channel(Protocol):
    """What a run asks of the way to a worker; `Seat` says what the worker was started with."""

    @property
    def pid(self) -> int:
        """A number that no other worker of this program has: of a process here, its id."""

    @property
    def alive(self) -> bool:
        """Whether the worker has not ended."""

    def begin(self, lock: Path | None, log: Path) -> None:
        """Tell it to work for a run: it takes `lock` when it is free, what libraries print goes to `log`."""

    def send(self, message: Message) -> None:
        """Send a message; one to a worker that has ended is lost, and `messages` tells of the end."""

    def messages(self) -> Iterator[Message]:
        """What the worker tells, until it has ended: the last message is `{"event": "gone", "code": ...}`.

        `lost` in that one says that not the worker failed but what it ran on.
        """

    def close(self) -> None:
        """Ask it to end at the next step."""

    def wait(self, seconds: float) -> bool:
        """Whether it has ended within so many seconds."""

    def kill(self) -> None:
        """End it at once."""


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


class LocalProcess:
    """A worker process on this machine: JSON lines on its standard input and output."""

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
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=environment,
            **own,
        )

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process has not ended."""
        return self._process.poll() is None

    def begin(self, lock: Path | None, log: Path) -> None:
        """Tell it to work for a run."""
        self.send({"do": "begin", "lock": str(lock or ""), "log": str(log.absolute())})

    def send(self, message: Message) -> None:
        """Write a line to it."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError, ValueError):  # a worker that died says so through `gone`
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()

    def messages(self) -> Iterator[Message]:
        """Its lines, then how it ended."""
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                with contextlib.suppress(ValueError):  # a line cut off by a kill
                    yield json.loads(line)
        code = self._process.wait()
        self.close()  # what was not sent yet has nowhere to go
        yield {"event": "gone", "code": code}

    def close(self) -> None:
        """Close its input."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()

    def wait(self, seconds: float) -> bool:
        """Whether it has ended within so many seconds."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return not self.alive

    def kill(self) -> None:
        """Kill it."""
        self._process.kill()
        self._process.wait()
