"""What can be wrong with how a training is to go, whatever it trains."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from lorakit.diagnostics import Diagnostic, Place
from lorakit.facts.machine.packages import absent, install
from lorakit.facts.machine.this_machine import Machine
from lorakit.language.recipe.trainings import TrainSettings
from lorakit.plan.kind import Context

_COMPILERS = ("g++", "c++", "clang++", "cl")


def packages(train: TrainSettings, place: Place, context: Context) -> Iterator[Diagnostic]:
    """An optimizer or a tracker whose package is not here."""
    for key, name in (("optimizer", train.optimizer), *(("trackers", t) for t in train.trackers)):
        module = absent(name)
        if module:
            yield context.finding(
                "missing-package",
                f"{key}: {name} needs the package {module}, which is not installed",
                train.where(key) or place,
                install(name),
            )


def compiler(train: TrainSettings, place: Place, context: Context) -> Iterator[Diagnostic]:
    """torch.compile makes C++ for a CPU, and somebody must compile it."""
    on_cpu = not context.facts.machine.kind.gpu
    if train.torch_compile and on_cpu and not any(map(shutil.which, _COMPILERS)):
        yield context.finding(
            "missing-compiler",
            "torch_compile needs a C++ compiler on a CPU, and there is none here",
            train.where("torch_compile") or place,
            "install g++ or clang, or remove torch_compile",
        )


def processes_of(train: TrainSettings) -> int:
    """How many processes share each batch."""
    return train.resources.gpus or train.resources.processes or 1


def resources(train: TrainSettings, place: Place, context: Context) -> Iterator[Diagnostic]:
    """GPUs that there are not, and batches that cannot be shared."""
    machine, asked = context.facts.machine, train.resources
    if asked.gpus and asked.processes:
        yield context.finding(
            "both-given",
            "gpus and processes cannot stand side by side",
            train.where("processes") or place,
            "keep gpus on a machine that has them, processes on a CPU",
        )
    elif asked.gpus and asked.gpus > machine.gpus:
        yield context.finding(
            "resources",
            f"gpus: {asked.gpus} is more than {machine.called} has: {_there_is(machine)}",
            train.where("gpus") or place,
            _instead(machine, asked.gpus),
        )
    elif asked.gpus and asked.gpus > machine.gpus_together:
        yield context.finding(
            "resources",
            f"gpus: {asked.gpus} are more than a training can share here: of {machine.name} CUDA shows a "
            "process one instance",
            train.where("gpus") or place,
            "write gpus: 1, or remove it",
        )
    elif asked.processes and asked.processes > 1 and machine.kind.gpu:
        yield context.finding(
            "resources",
            f"processes: {asked.processes} is for a CPU, and {machine.called} trains on {machine.name}",
            train.where("processes") or place,
            f"write gpus: {machine.gpus}",
        )
    elif asked.processes and asked.processes > machine.processes:
        yield context.finding(
            "resources",
            f"processes: {asked.processes} is more than {machine.called} has room for: {machine.processes}",
            train.where("processes") or place,
            f"write processes: {machine.processes}, or ask for fewer cpus in your config",
        )
    count = processes_of(train)
    if count > train.batch_size:
        yield context.finding(
            "resources",
            f"batch_size: {train.batch_size} cannot be shared by {count} processes: "
            "it counts the samples of all of them together",
            train.where("batch_size") or train.where("gpus") or place,
            f"write batch_size: {count}, or more",
        )


def _there_is(machine: Machine) -> str:
    if not machine.kind.gpu:
        return "it trains on the CPU"
    return f"{machine.gpus}, {machine.name}"


def _instead(machine: Machine, count: int) -> str:
    if not machine.kind.gpu:
        return f"write processes: {count} to share batches among processes of the CPU, or remove it"
    return f"write gpus: {machine.gpus}, or remove it"
