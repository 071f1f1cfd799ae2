"""A node in this process: frames go there and back through queues, as they go through Ray or a folder."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from lorakit.cluster.frames import unpack
from lorakit.cluster.node import ClusterNode
from lorakit.cluster.node_link import LinkLost
from lorakit.execute.seats import Seat

SEAT = Seat("assemble", "assemble", 1)


class ToldLink:
    """A `NodeLink` to somebody who tells these frames, whatever is sent."""

    def __init__(self, *frames: bytes) -> None:
        self._frames = frames
        self.killed = False
        self.shared = False

    def send(self, *frames: bytes) -> None:
        """Lose them."""

    def frames(self) -> Iterator[bytes]:
        """What there is to tell."""
        yield from self._frames

    def close(self) -> None:
        """Nothing is there to end."""

    def wait(self, seconds: float) -> bool:
        """At once."""
        return True

    def kill(self) -> None:
        """Remember it."""
        self.killed = True


class NearLink:
    """A `NodeLink` to a node that keeps `disk` GB of files in `folder`; `spoil` is done to each frame that goes there."""

    def __init__(
        self,
        folder: Path,
        *,
        shared: bool = False,
        disk: float = 1.0,
        spoil: Callable[[bytes], bytes] = lambda f: f,
    ) -> None:
        self._spoil = spoil
        self.shared = shared
        self._in: queue.Queue[bytes | None] = queue.Queue()
        self._out: queue.Queue[bytes | None] = queue.Queue()
        self.told: list[dict[str, Any]] = []
        self.given: list[str] = []  # digests of what went there
        self.node = ClusterNode(SEAT, folder, self._tell, shared=shared, disk=disk, name="near")
        threading.Thread(target=self._receive, daemon=True).start()

    def _tell(self, frame: bytes) -> None:
        self.told.append(unpack(frame)[0])
        self._out.put(frame)

    def _receive(self) -> None:
        while (frame := self._in.get()) is not None:
            self.node.receive(frame)

    def wanted(self) -> list[str]:
        """The digests of the files that the node asked for."""
        return [m["digest"] for m in self.told if m["event"] == "wants"]

    def cut(self) -> None:
        """Cut the cable: nothing goes either way any more."""
        self._in.put(None)
        self._out.put(None)
        self.node.kill()

    def send(self, *frames: bytes) -> None:
        """Take frames to the node."""
        for frame in frames:
            message, _ = unpack(frame)
            if message["do"] == "content":
                self.given.append(message["digest"])
            self._in.put(self._spoil(frame))

    def frames(self) -> Iterator[bytes]:
        """What the node tells."""
        while (frame := self._out.get(timeout=60)) is not None:
            yield frame
        raise LinkLost("the cable was cut")

    def close(self) -> None:
        """Ask the node to end."""
        self.node.close()

    def wait(self, seconds: float) -> bool:
        """Whether it has ended within so many seconds."""
        return self.node.wait(seconds)

    def kill(self) -> None:
        """End it at once."""
        self.node.kill()
