"""Machines of a cluster as the place of a run's workers: those that compute are there, others stay here."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import IO, Any

from lorakit.cluster.node_link import NodeLink, NoNode
from lorakit.cluster.remote import RemoteWorker
from lorakit.diagnostics import LorakitError
from lorakit.execute.channels import Channel
from lorakit.execute.places import ThisMachine
from lorakit.execute.seats import Seat, cpu_threads
from lorakit.facts.machine.nodes import Nodes, Room, like_here, nodes_of
from lorakit.facts.machine.this_machine import this_machine
from lorakit.plan.actions import Action
from lorakit.plan.estimate import host_memory
from lorakit.plan.workers import WORKERS

GB = 10**9


class ClusterPlaces(ThisMachine):
    """What Ray and Slurm have in common: who hands out GPUs, and what a worker is called and started with.

    `nodes` is what a plan for them is a plan for: machines like this one, until one is asked.
    """

    def __init__(self, where: str) -> None:
        self.nodes = like_here(where)
        self._memory: dict[str, int] = {}  # bytes that the plan counts, by kind of worker

    @abstractmethod
    def room(self) -> Room:
        """The most workers of a kind at once, and the GPUs of the greatest training."""

    @abstractmethod
    def link(self, seat: Seat, memory: int) -> NodeLink:
        """Ask the cluster for a node that has so many bytes of `memory`. Raises LorakitError."""

    @abstractmethod
    def told(self, waits: Callable[[str], None]) -> Mapping[str, Any]:
        """What a node tells of itself; `waits` is called with what is waited for. Raises LorakitError."""

    def ask(self, waits: Callable[[str], None]) -> None:
        """Find out what a plan for these machines is for. Raises LorakitError."""
        self.nodes = nodes_of(self.told(waits), self.room(), self.nodes.where)

    def count_room(self) -> None:
        """Where none is asked, a plan still says for how many workers there is room."""
        self.nodes = self.nodes._replace(room=self.room())

    def plans_for(self) -> Nodes | None:
        """What a node told, or machines like this one."""
        return self.nodes

    def expect(self, actions: Iterable[Action], timings: Mapping[str, float]) -> None:
        """What workers take at most is asked for with them."""
        for action in actions:
            kind = action.engine.slot
            memory = host_memory(action, timings, self.nodes.machine)
            self._memory[kind] = max(memory, self._memory.get(kind, 0))

    def gpus(self) -> int:
        """None that the run hands out: the cluster does."""
        return 0

    def count(self, kind: str) -> int:
        """As many as there is room for."""
        return super().count(kind) if self.here(kind) else self.room().workers

    def name(self, kind: str, home: int) -> str:
        """`render`, or of several `render 1`."""
        return f"{kind} {home + 1}" if self.count(kind) > 1 else kind

    def seat(self, kind: str, home: int, gpus: tuple[int, ...]) -> Seat:
        """As many threads as one here has, since a convolution's last bits go by their number."""
        if self.here(kind):
            return super().seat(kind, home, gpus)
        machine = self.nodes.machine
        threads = cpu_threads(this_machine())
        if machine.kind.gpu:
            threads = min(threads, machine.cores)
        return Seat(kind, self.name(kind, home), threads, tuple(map(str, gpus)))

    def here(self, kind: str) -> bool:
        """Films, sheets and scores are made here: they read what lies here, and take little."""
        return not WORKERS[kind].torch

    def channel(self, seat: Seat, log: IO[bytes]) -> Channel:
        """A node, which the cluster starts where there is room for it."""
        if self.here(seat.kind):
            return super().channel(seat, log)
        try:
            link = self.link(seat, self._memory.get(seat.kind, 0))
        except LorakitError as error:
            link = NoNode(str(error))
        return RemoteWorker(seat.kind, link, self.nodes)
