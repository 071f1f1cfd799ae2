"""Frames through a folder that all machines see: each a file under the next number, whole or not there.

Nothing listens on a network, so it works wherever a queue's machines share a disk and nothing else.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from lorakit.cluster.node import ClusterNode
from lorakit.execute.seats import Seat

_SOON, _LATER = 0.01, 0.5  # s between two looks, at first and when nothing has come for a while
_BEATS = 10.0  # s between two signs of life of the run
_DEAD = 90.0  # s without one after which it is taken for dead
_ALIVE = "alive"


class Spool:
    """One direction of a link: frames in the order in which they were put."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._put = self._taken = 0
        self._lock = threading.Lock()

    def put(self, frame: bytes) -> None:
        """Put a frame, from any thread."""
        with self._lock:
            target = self._folder / f"{self._put:012d}"
            draft = target.with_suffix(".tmp")
            draft.write_bytes(frame)
            draft.replace(target)
            self._put += 1

    def take(self) -> bytes | None:
        """The next frame, if it is there; it is taken away."""
        target = self._folder / f"{self._taken:012d}"
        try:
            frame = target.read_bytes()
        except FileNotFoundError:
            return None
        target.unlink()
        self._taken += 1
        return frame


class Pauses:
    """How long to wait before the next look: longer, the longer nothing comes."""

    def __init__(self) -> None:
        self._next = _SOON

    def wait(self, over: threading.Event) -> None:
        """Wait, or until it is over."""
        over.wait(self._next)
        self._next = min(_LATER, self._next * 1.5)

    def news(self) -> None:
        """Something came."""
        self._next = _SOON


def serve(folder: str, seat: tuple[object, ...], home: str, shared: bool, disk: float) -> None:
    """What a queue runs on a machine: a node, until its worker has ended or the run is dead."""
    place = Path(folder)
    incoming, outgoing = Spool(place / "in"), Spool(place / "out")
    kind, name, threads, gpus, beside = seat
    own = Seat(str(kind), str(name), int(str(threads)), tuple(map(str, gpus)), bool(beside))  # type: ignore[call-overload]
    node = ClusterNode(own, Path(home), outgoing.put, shared=shared, disk=disk)
    pauses, never = Pauses(), threading.Event()
    life, since = b"", time.monotonic()
    while not node.wait(0):
        frame = incoming.take()
        if frame is not None:
            node.receive(frame)
            pauses.news()
            continue
        with contextlib.suppress(OSError):
            now = (place / _ALIVE).read_bytes()
            if now != life:
                life, since = now, time.monotonic()
        if time.monotonic() - since > _DEAD:
            node.close()
            node.wait(_DEAD)
            node.kill()
        pauses.wait(never)


class SpoolEnds:
    """The run's end of a link through a folder; signs of life go there until `close`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.outgoing, self._incoming = Spool(folder / "in"), Spool(folder / "out")
        self.over = threading.Event()
        threading.Thread(target=self._beat, daemon=True).start()

    def _beat(self) -> None:
        number = 0
        while True:
            number += 1
            with contextlib.suppress(OSError):
                (self.folder / _ALIVE).write_text(f"{os.getpid()} {number}")
            if self.over.wait(_BEATS):
                return

    def frames(self) -> Iterator[bytes | None]:
        """What comes, in order; None each time that nothing has come."""
        pauses = Pauses()
        while not self.over.is_set():
            frame = self._incoming.take()
            if frame is not None:
                pauses.news()
                yield frame
            else:
                yield None
                pauses.wait(self.over)
