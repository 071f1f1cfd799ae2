"""The link to a node, as a run sees it: frames go there and come back, or it is lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from lorakit.cluster.frames import Frame, pack


class LinkLost(Exception):
    """What a worker ran on is gone: a machine, an actor, a job of a queue. The message says how."""


class NodeLink(Protocol):
    """How frames travel to one node and back; `send` is called by several threads.

    With `shared` the node looks for files where they lie here.
    """

    @property
    def shared(self) -> bool:
        """Whether it sees the same paths."""

    def send(self, *frames: bytes) -> None:
        """Take frames to the node, in order. What cannot be taken is lost, and `frames` says so."""

    def frames(self) -> Iterator[Frame]:
        """What the node tells, in order, until its worker has ended. Raises LinkLost."""

    def close(self) -> None:
        """Ask the node to end."""

    def wait(self, seconds: float) -> bool:
        """Whether it has ended within so many seconds."""

    def kill(self) -> None:
        """End it at once."""


class NoNode:
    """A link to no node, since none could be asked for; `why` is told, and the run asks for no other."""

    shared = True

    def __init__(self, why: str) -> None:
        self._why = why

    def send(self, *frames: bytes) -> None:
        """Nobody takes it."""

    def frames(self) -> Iterator[Frame]:
        """Why there is none."""
        yield pack({"event": "broken", "error": self._why})
        yield pack({"event": "gone", "code": 1})

    def close(self) -> None:
        """There is nothing to end."""

    def wait(self, seconds: float) -> bool:  # noqa: ARG002 - at once
        """It has ended."""
        return True

    def kill(self) -> None:
        """There is nothing to end."""
