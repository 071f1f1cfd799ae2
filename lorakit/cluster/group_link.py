"""Several nodes as one: a training whose processes are on machines of their own.

All are told the same. The first does what a worker does and is heard; the others do the same job in step
with it, as torchrun's processes, and save nothing. What one of them lacks is sent to all; where one is lost,
all are.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence

from lorakit.cluster.frames import Frame, pack, unpack
from lorakit.cluster.node_link import LinkLost, NodeLink

_HEARD = frozenset({"node", "broken", "log"})  # what the others tell that the run hears as well
_GRACE = 15.0  # s for a loss to be told that made the first one fail


class GroupLink:
    """The way to so many nodes, the first of which leads; `done` is called when they are ended."""

    def __init__(self, links: Sequence[NodeLink], done: Callable[[], None]) -> None:
        self.shared = links[0].shared
        self._links, self._done = links, done
        self._told: queue.Queue[tuple[int, Frame | str]] = queue.Queue()
        self._asked: set[str] = set()  # digests that one of them lacked
        self._meet: tuple[str, int] = ("", 0)  # where the first listens for the others
        self._lock = threading.Lock()
        for rank in range(len(links)):
            threading.Thread(target=self._listen, args=(rank,), daemon=True).start()

    def _listen(self, rank: int) -> None:
        try:
            for frame in self._links[rank].frames():
                self._told.put((rank, frame))
            self._told.put((rank, "it ended"))
        except LinkLost as lost:
            self._told.put((rank, str(lost)))

    def send(self, *frames: Frame) -> None:
        """Take frames to all; each is told which of them it is."""
        with self._lock:
            for rank, link in enumerate(self._links):
                link.send(*(self._ranked(frame, rank) for frame in frames))

    def _ranked(self, frame: Frame, rank: int) -> bytes:
        message, body = unpack(frame)
        if message["do"] == "job":
            message["group"] = [rank, len(self._links), *self._meet]
            return pack(message, bytes(body))
        return bytes(frame)

    def frames(self) -> Iterator[Frame]:
        """What the first tells, and what the others lack. Raises LinkLost where one of them is lost."""
        failed: Frame | None = None  # what the first failed with, perhaps since another is lost
        waits = len(self._links) - 1  # for as many to fail as well
        try:
            while True:
                try:
                    rank, told = self._told.get(timeout=None if failed is None else _GRACE)
                except queue.Empty:
                    assert failed is not None
                    yield failed
                    failed = None
                    continue
                if isinstance(told, str):
                    if rank == 0 and failed is None:
                        raise LinkLost(told)
                    raise LinkLost(f"process {rank} of the training is gone: {told}")
                message, _ = unpack(told)
                event = message["event"]
                if event == "gone" and rank > 0:
                    raise LinkLost(f"process {rank} of the training ended by itself")
                if event == "ended" and "error" in message:
                    if rank > 0:
                        waits -= 1
                    elif waits > 0:
                        failed = told
                        continue
                if failed is not None and waits <= 0:
                    yield failed
                    failed = None
                if event == "wants":
                    if message["digest"] in self._asked:
                        continue
                    self._asked.add(message["digest"])
                elif event == "node" and rank == 0:
                    self._meet = (str(message["address"]), int(message["port"]))
                if rank == 0 or event in _HEARD or event == "wants":
                    yield told
        finally:
            self.kill()

    def close(self) -> None:
        """Ask the first to end, with a checkpoint; the others are ended after it."""
        self._links[0].close()

    def wait(self, seconds: float) -> bool:
        """Whether the first has ended within so many seconds."""
        return self._links[0].wait(seconds)

    def kill(self) -> None:
        """End all at once."""
        for link in self._links:
            link.kill()
        self._done()
