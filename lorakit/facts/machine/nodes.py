"""Machines of a cluster: what each tells of itself, and what a plan for them is a plan for.

A plan's keys name the class of device that computes. Where that is another than this machine's, as for a
laptop that drives rented GPUs, a node is asked first, and the plan is for what it says.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from typing import NamedTuple

from lorakit.diagnostics import LorakitError
from lorakit.facts.machine.devices import DEVICES
from lorakit.facts.machine.environment import OF_GPUS, RECORDED, environment
from lorakit.facts.machine.this_machine import Card, Machine, this_machine
from lorakit.records import record

_ANY = sys.maxsize


class Room(NamedTuple):
    """What a cluster has: `workers` of a kind at once, `gpus` and `processes` on CPUs for one training.

    `now` is how many workers have room as it is, on so many `machines`. None where nobody knows before it
    is asked for.
    """

    workers: int = 1
    gpus: int | None = None
    processes: int | None = None
    now: int | None = None
    machines: int | None = None


NO_ROOM = Room()


@record
class NodeMachine(Machine):
    """A machine that is elsewhere, as it told of itself, with the `room` of its cluster."""

    its_cores: int = 1
    its_memory: int = 0
    can_round: bool = False
    room: Room = NO_ROOM

    @property
    def cores(self) -> int:
        """The cores that its process may use."""
        return self.its_cores

    @property
    def called(self) -> str:
        """What a message calls it."""
        return "the cluster"

    @property
    def gpus(self) -> int:
        """How many GPUs there are for one training."""
        if not self.kind.gpu:
            return 0
        return _ANY if self.room.gpus is None else self.room.gpus

    @property
    def processes(self) -> int:
        """How many processes of a CPU may share one training."""
        return _ANY if self.room.processes is None else self.room.processes

    @property
    def gpus_together(self) -> int:
        """All of them."""
        return self.gpus

    @property
    def gpu_names(self) -> tuple[str, ...]:
        """Whoever starts its workers chooses."""
        return ()

    @property
    def rounds(self) -> bool:
        """Whether it has what rounds weights."""
        return self.can_round

    @property
    def workers(self) -> int:
        """How many processes draw at once, on all machines together."""
        return self.room.workers

    @property
    def memory(self) -> int:
        """The device's memory in bytes."""
        return self.given.memory if self.given else self.its_memory

    @property
    def card(self) -> Card | None:
        """Memory that is a GPU's own; None where there is none."""
        return self.given


class Nodes(NamedTuple):
    """What a plan for other machines is for: the `machine`, its `environment`, and where, in words.

    `room` is how many there are.
    """

    machine: Machine
    environment: Mapping[str, str]
    where: str
    asked: bool
    room: Room = NO_ROOM

    @property
    def policy(self) -> str:
        """Whose results count, in words."""
        whose = "as one of them told" if self.asked else "as this machine is, since none is asked"
        return (
            f"takes results of nodes that compute as {self.machine.device_class} ({self.machine.name}) with "
            f"the plan's versions of libraries, {whose}; films, sheets and scores are made here"
        )


def like_here(where: str) -> Nodes:
    """Nodes that count as machines like this one."""
    return Nodes(this_machine(), environment(), where, asked=False)


def told_here() -> dict[str, object]:
    """What this machine tells of itself, as JSON data; memory in bytes."""
    machine = this_machine()
    card = machine.card
    return {
        "device": machine.device,
        "device_class": machine.device_class,
        "device_name": machine.name,
        "fast_bf16": machine.fast_bf16,
        "cores": machine.cores,
        "memory": machine.memory,
        "card": list(card) if card else [],
        "rounds": machine.rounds,
        "environment": dict(environment()),
        "host": platform.node(),
    }


def nodes_of(told: Mapping[str, object], room: Room, where: str) -> Nodes:
    """What a plan is for by what a node told. Raises LorakitError where that is no fit for this machine."""
    try:
        versions = {str(k): str(v) for k, v in dict(told["environment"]).items()}  # type: ignore[call-overload]
        machine = NodeMachine(
            device=DEVICES[str(told["device"])].name,
            device_class=str(told["device_class"]),
            name=str(told["device_name"]),
            fast_bf16=bool(told["fast_bf16"]),
            given=Card(*map(int, told["card"])) if told["card"] else None,  # type: ignore[call-overload]
            its_cores=int(str(told["cores"])),
            its_memory=int(str(told["memory"])),
            can_round=bool(told["rounds"]),
            room=room,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise LorakitError(f"what a node of {where} tells of itself makes no sense") from error
    here = environment()
    others = [
        f"{name} {versions.get(name, 'absent')} (here {here[name]})"
        for name in ("lorakit", *RECORDED)
        if _public(versions.get(name, "absent")) != _public(here[name])
    ]
    if others:
        raise LorakitError(
            f"the node {told.get('host', '')} of {where} has other versions than this machine, which plans "
            f"and assembles: {', '.join(others)}; install the same on both"
        )
    of_nodes = {name: versions[name] for name in (*RECORDED, *OF_GPUS) if name in versions}
    return Nodes(machine, {**here, **of_nodes}, where, asked=True, room=room)


def _public(version: str) -> str:
    """A version without its build: torch 2.13.0+cpu plans for 2.13.0+cu128."""
    return version.partition("+")[0]
