"""A node as a Ray actor. What it is sent and tells is bytes alone: no object of ours is pickled."""

from __future__ import annotations

import contextlib
import json
import platform
import queue
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from lorakit.cluster.frames import PIECE, Frame, joined, parted, unpack
from lorakit.cluster.node import ClusterNode, node_folder
from lorakit.cluster.node_link import LinkLost
from lorakit.execute.seats import Seat
from lorakit.facts.machine.nodes import told_here

_PATIENCE = 5.0  # s that a question for news stays open
_MOST = 8 * PIECE  # bytes of news in one answer
_FEW = 8  # frames that are waited for
_UNDER_WAY = 8  # frames that were sent and not taken yet
_PASSING = frozenset({"started", "progress", "state", "file"})  # what more comes after
_LINGER = 0.01  # s in which more may come


def told_as_json() -> str:
    """What Ray runs to ask a node what it is."""
    return json.dumps(told_here())


class NodeActor:
    """What Ray runs on a node: `receive` and `news` are called in threads of their own, each in order."""

    def __init__(self, seat: tuple[Any, ...], folder: str, shared: bool, disk: float) -> None:
        self._news: queue.Queue[bytes] = queue.Queue()
        import ray

        kind, name, threads, gpus, beside = seat
        home = node_folder(folder)
        # several nodes of Ray may be on one machine
        where = f"{platform.node()}/{ray.get_runtime_context().get_node_id()[:4]}"
        own = Seat(kind, name, threads, tuple(gpus), beside)
        util: Any = ray.util  # has no types
        address = str(util.get_node_ip_address())
        self._node = ClusterNode(
            own, home, self._news.put, shared=shared, disk=disk, name=where, address=address
        )

    def receive(self, *frames: bytes) -> None:
        """Take frames from the run."""
        for frame in frames:
            self._node.receive(frame)

    def news(self) -> bytes:
        """Frames for the run; none where nothing came for a while."""
        told: list[bytes] = []
        patience, size = _PATIENCE, 0
        with contextlib.suppress(queue.Empty):
            while size < _MOST:
                told.append(self._news.get(timeout=patience))
                size += len(told[-1])
                passing = unpack(told[-1])[0]["event"] in _PASSING
                patience = _LINGER if passing and len(told) < _FEW else 0.0
        return joined(told)

    def close(self) -> None:
        """End at the next step."""
        self._node.close()


class RayLink:
    """The way to an actor, which Ray starts where there is room for it; `options` are Ray's for actors."""

    def __init__(
        self, seat: Seat, options: Mapping[str, Any], folder: str, *, shared: bool, disk: float
    ) -> None:
        import ray

        self.shared = shared
        self._ray: Any = ray
        # a thread for what comes and one for what goes, each in order
        remote = self._ray.remote(concurrency_groups={"in": 1, "out": 1})(NodeActor)
        actor = remote.options(max_restarts=0, **options)
        self._actor = actor.remote(tuple(seat), folder, shared, disk)
        self._sent: list[Any] = []
        self._lock = threading.Lock()
        self._over = threading.Event()

    def send(self, *frames: bytes) -> None:
        """Take frames to the actor, once it has taken most of those before."""
        with self._lock:
            while len(self._sent) >= _UNDER_WAY and not self._over.is_set():
                _, self._sent = self._ray.wait(self._sent, timeout=_PATIENCE)
            taken = self._actor.receive.options(concurrency_group="in").remote(*frames)
            self._sent.append(taken)

    def frames(self) -> Iterator[Frame]:
        """What the actor tells. Raises LinkLost where it, or what it ran on, is gone."""
        from ray.exceptions import RayError

        try:
            while not self._over.is_set():
                told = self._ray.get(self._actor.news.options(concurrency_group="out").remote())
                yield from parted(told)
        except RayError as error:
            raise LinkLost(_in_words(error)) from error
        except SystemExit as error:  # so Ray ends a question whose cluster is left
            raise LinkLost("the cluster was left") from error
        finally:
            self.kill()

    def close(self) -> None:
        """Ask it to end."""
        with contextlib.suppress(Exception):
            self._actor.close.options(concurrency_group="in").remote()

    def wait(self, seconds: float) -> bool:
        """Whether it has ended within so many seconds."""
        return self._over.wait(seconds)

    def kill(self) -> None:
        """End it at once."""
        self._over.set()
        with contextlib.suppress(Exception):
            self._ray.kill(self._actor)


def _in_words(error: Exception) -> str:
    """Ray's account of a loss in a line."""
    from ray import exceptions

    known = {
        exceptions.OutOfMemoryError: "its memory was short, and Ray ended it",
        exceptions.NodeDiedError: "the machine is gone",
        exceptions.ActorUnschedulableError: "no machine of the cluster has what it asks for",
        exceptions.ActorDiedError: "it ended, or its machine is gone",
        exceptions.ActorUnavailableError: "the network to it is cut",
    }
    found = next((words for kind, words in known.items() if isinstance(error, kind)), "")
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return found or lines[-1].strip()
