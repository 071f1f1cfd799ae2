"""How many workers of a kind there are here, what each is called, and what of the machine it may use."""

from __future__ import annotations

import os
from typing import NamedTuple

from lorakit.facts.machine.this_machine import Machine, this_machine
from lorakit.plan.workers import WORKERS


class Seat(NamedTuple):
    """What a worker of a `kind` is started with: CPU `threads`, and what CUDA calls its `gpus`.

    Those are empty where it may use whatever there is. One that is `beside` others shares cores with them.
    """

    kind: str
    name: str
    threads: int
    gpus: tuple[str, ...] = ()
    beside: bool = False


def count(kind: str, machine: Machine) -> int:
    """The most workers of a kind at once: of those that draw as many as are asked for.

    Others compute one after the other on a CPU, and on each GPU.
    """
    worker = WORKERS[kind]
    if worker.drops:
        return machine.workers
    return max(1, machine.gpus) if worker.torch else 1


def name(kind: str, home: int, machine: Machine) -> str:
    """What a user calls a worker, the first of its kind being 0: `render`, or of several `render 1`."""
    return f"{kind} {home + 1}" if count(kind, machine) > 1 else kind


def cpu_threads(machine: Machine) -> int:
    """How many threads compute on a CPU: one a core, or fewer where `OMP_NUM_THREADS` says so."""
    told = os.environ.get("OMP_NUM_THREADS", "").strip()
    return min(machine.cores, max(1, int(told))) if told.isdecimal() else machine.cores


def seat(kind: str, home: int, gpus: tuple[int, ...], machine: Machine) -> Seat:
    """What a worker is started with that may use GPUs by these numbers, on a CPU by none."""
    own_name = name(kind, home, machine)
    if not machine.kind.gpu or not WORKERS[kind].torch:
        # several have as many threads as one alone, since a convolution's last bits go by their number
        return Seat(kind, own_name, cpu_threads(machine), beside=own_name != kind)
    names = machine.gpu_names
    threads = max(1, machine.cores * len(gpus) // machine.gpus)
    return Seat(kind, own_name, threads, tuple(names[gpu] for gpu in gpus) if names else ())


def first_seat(kind: str) -> Seat:
    """What the first worker of a kind is started with, before anything is asked of it."""
    machine = this_machine()
    return seat(kind, 0, (0,) if machine.kind.gpu else (), machine)
