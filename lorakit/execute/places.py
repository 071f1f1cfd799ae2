"""Where a run's workers are: how many of a kind there may be, what each is started with, and how."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import IO, Protocol

from lorakit.execute import seats
from lorakit.execute.channels import Channel, LocalProcess
from lorakit.execute.seats import Seat
from lorakit.facts.machine.nodes import Nodes
from lorakit.facts.machine.this_machine import this_machine
from lorakit.plan.actions import Action


class Places(Protocol):
    """What a run asks of the machines that its workers are on; `kind` is one of plan/workers.py."""

    def plans_for(self) -> Nodes | None:
        """What a plan for them is a plan for; None for this machine."""

    def expect(self, actions: Iterable[Action], timings: Mapping[str, float]) -> None:
        """Hear what a run is to make, before it asks for workers; `timings` are what was measured here."""

    def gpus(self) -> int:
        """How many GPUs the run itself hands out; 0 where there are none, or others do."""

    def count(self, kind: str) -> int:
        """The most workers of a kind at once."""

    def name(self, kind: str, home: int) -> str:
        """What a user calls a worker, the first of its kind being 0."""

    def seat(self, kind: str, home: int, gpus: tuple[int, ...]) -> Seat:
        """What a worker is started with that may use GPUs by these numbers."""

    def here(self, kind: str) -> bool:
        """Whether workers of a kind are on this machine, whose locks they take."""

    def channel(self, seat: Seat, log: IO[bytes]) -> Channel:
        """Start a worker; what it prints before a run begins goes to `log`."""


class ThisMachine:
    """All workers are processes here."""

    def plans_for(self) -> Nodes | None:
        """Nothing but what is here."""
        return None

    def expect(self, actions: Iterable[Action], timings: Mapping[str, float]) -> None:
        """Workers here ask nobody for room."""

    def gpus(self) -> int:
        """The GPUs of this machine."""
        return this_machine().gpus

    def count(self, kind: str) -> int:
        """One a GPU, or as many as `LORAKIT_WORKERS` says."""
        return seats.count(kind, this_machine())

    def name(self, kind: str, home: int) -> str:
        """`render`, or of several `render 1`."""
        return seats.name(kind, home, this_machine())

    def seat(self, kind: str, home: int, gpus: tuple[int, ...]) -> Seat:
        """Its threads, and what CUDA calls its GPUs."""
        return seats.seat(kind, home, gpus, this_machine())

    def here(self, kind: str) -> bool:  # noqa: ARG002 - all are
        """Always."""
        return True

    def channel(self, seat: Seat, log: IO[bytes]) -> Channel:
        """Start a process."""
        return LocalProcess(seat, log)
