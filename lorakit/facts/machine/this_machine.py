"""What this machine is, found out without importing torch."""

from __future__ import annotations

import functools
import os
import platform
import re
import sys
from pathlib import Path
from typing import NamedTuple

from lorakit.diagnostics import LorakitError
from lorakit.facts.machine import nvidia
from lorakit.facts.machine.devices import CUDA, DEVICES, HOST, MPS, Device
from lorakit.facts.machine.packages import ROUNDING, absent
from lorakit.records import record

DEVICE_VARIABLE = "LORAKIT_DEVICE"
CPU_PATCHES_VARIABLE = "LORAKIT_CPU_PATCHES"
WORKERS_VARIABLE = "LORAKIT_WORKERS"

# fp32 is computed as such (models/processor.py); bits were others when torch's defaults let it round
_CUDA_CLASS = f"{CUDA}-without-tf32"
_BF16 = 8.0  # compute capability from which on bf16 has units of its own


class MachineError(LorakitError):
    """A device is asked for that is not here; `hints` are ways out."""

    def __init__(self, message: str, *hints: str) -> None:
        super().__init__(message)
        self.hints = hints


class Card(NamedTuple):
    """What there is to keep a model in, in bytes: a GPU's memory, what of it is free, and the machine's."""

    memory: int
    free: int
    beside: int


@record
class Machine:
    """The device that pictures are drawn on.

    `device_class` says between which machines bits agree, and is part of keys; of GPUs which card it was is
    recorded beside a result instead (environment.py); `fast_bf16` whether bf16
    runs faster than fp32 here. `remarks` are what a user should know of the choice, `given` a card that is
    asked about and need not be here.
    """

    device: str
    device_class: str
    name: str
    fast_bf16: bool
    remarks: tuple[str, ...] = ()
    given: Card | None = None

    @property
    def kind(self) -> Device:
        """What such a device can."""
        return DEVICES[self.device]

    @property
    def cores(self) -> int:
        """The cores that this process may use, without hyper-threads."""
        return _cores()

    @property
    def gpus(self) -> int:
        """How many GPUs this process may use of the kind that is used."""
        return len(nvidia.alike()) if self.kind.own_memory else int(self.kind.gpu)

    @property
    def called(self) -> str:
        """What a message calls it."""
        return "this machine"

    @property
    def processes(self) -> int:
        """How many processes of a CPU may share one training: as many as one likes."""
        return sys.maxsize

    @property
    def gpus_together(self) -> int:
        """How many of them one training may share."""
        return nvidia.together() if self.kind.own_memory else self.gpus

    @property
    def gpu_names(self) -> tuple[str, ...]:
        """What CUDA calls each GPU where there are several; else none."""
        return nvidia.names() if self.kind.own_memory else ()

    @property
    def rounds(self) -> bool:
        """Whether it has what rounds weights; a card that need not be here counts as if it had."""
        return bool(self.given) or not absent(ROUNDING)

    @property
    def workers(self) -> int:
        """How many processes draw at once: one a GPU, one on a CPU, or as many as `LORAKIT_WORKERS` says.

        Raises MachineError where that is no number, or more than there are GPUs or cores.
        """
        told = os.environ.get(WORKERS_VARIABLE, "").strip()
        if not told:
            return max(1, self.gpus)
        most = self.gpus if self.kind.gpu else self.cores
        if not re.fullmatch(r"[0-9]{1,4}", told) or not int(told):
            raise MachineError(
                f"{WORKERS_VARIABLE}={told} is no number of workers",
                f"write a number from 1 to {most}, or unset {WORKERS_VARIABLE}",
            )
        if int(told) > most:
            what = "GPU" if self.kind.gpu else "core"
            raise MachineError(
                f"{WORKERS_VARIABLE}={told} asks for more workers than there are {what}s here: {most}",
                f"write {WORKERS_VARIABLE}={most}, or unset it",
            )
        return int(told)

    @property
    def memory(self) -> int:
        """The device's memory in bytes; a Mac's GPU shares the machine's."""
        return self.given.memory if self.given else _memory(self.device)

    @property
    def card(self) -> Card | None:
        """Memory that is a GPU's own; None where there is none."""
        if self.given or not self.kind.own_memory:
            return self.given
        free = min((gpu.free for gpu in nvidia.alike() if gpu.free), default=self.memory)
        # each that draws keeps its own model beside its card
        return Card(self.memory, free, _memory(HOST) // self.workers)

    def precision(self, wanted: str) -> str:
        """The precision that a model's `dtype` comes to here: fp32, bf16 or fp16."""
        if wanted != "auto":
            return wanted
        if self.fast_bf16:
            return "bf16"
        return "fp16" if self.kind.fp16 else "fp32"


def cpu_patches() -> bool:
    """Whether what `lorakit.cpu` patches is patched; `LORAKIT_CPU_PATCHES=0` leaves torch as it is."""
    return os.environ.get(CPU_PATCHES_VARIABLE, "1").strip().lower() not in (
        "0",
        "off",
        "no",
        "false",
    )


def _cpu_flags() -> set[str]:
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        return set()
    found = re.search(r"^(?:flags|Features)\s*:(.*)$", text, re.MULTILINE)
    return set(found[1].split()) if found else set()


@functools.cache
def _cores() -> int:
    import psutil

    cores: int = psutil.cpu_count(logical=False) or os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        cores = min(cores, len(os.sched_getaffinity(0)))
    return cores


@functools.cache
def _memory(device: str) -> int:
    import psutil

    gpus = nvidia.alike() if DEVICES[device].own_memory else ()
    # a training's processes have one each, and the least of them decides
    return min((gpu.memory for gpu in gpus), default=int(psutil.virtual_memory().total))


@functools.cache
def this_machine() -> Machine:
    """What stands here; `LORAKIT_DEVICE=cpu|cuda|mps` overrules the choice of device.

    Raises MachineError where a device is asked for that is not here.
    """
    wanted = os.environ.get(DEVICE_VARIABLE, "").strip().lower()
    if wanted and wanted not in DEVICES:
        raise MachineError(
            f"{DEVICE_VARIABLE}={wanted} names no device", f"write {', '.join(DEVICES)}, or nothing"
        )
    why_not = ""
    if wanted in ("", CUDA):
        why_not = nvidia.why_unusable()
        gpus = nvidia.visible()
        if gpus and not why_not:
            fast = gpus[0].capability >= _BF16
            others = {gpu.name: None for gpu in gpus if gpu.name != gpus[0].name}
            remarks = (_unlike(gpus[0].name, ", ".join(others)),) if others else ()
            return Machine(CUDA, _CUDA_CLASS, gpus[0].name, fast_bf16=fast, remarks=remarks)
    if wanted in ("", MPS) and sys.platform == "darwin" and platform.machine() == "arm64":
        return Machine(MPS, MPS, "Apple GPU", fast_bf16=False)
    if wanted in (CUDA, MPS):
        why = why_not or (
            "there is no NVIDIA GPU here" if wanted == CUDA else "this is no Mac with Apple silicon"
        )
        raise MachineError(
            f"{DEVICE_VARIABLE}={wanted} asks for a GPU: {why}",
            f"unset {DEVICE_VARIABLE}, or write {DEVICE_VARIABLE}={HOST}",
        )
    remarks = (f"computes on the CPU: {why_not}",) if why_not and not wanted else ()
    return _cpu(remarks)


def _unlike(used: str, others: str) -> str:
    return (
        f"uses {used} alone, and not {others}, whose results differ in their last bits; "
        f"{nvidia.VISIBLE} chooses others"
    )


def _cpu(remarks: tuple[str, ...]) -> Machine:
    flags = _cpu_flags()
    known = ("amx_bf16", "avx512_bf16", "avx512f", "avx2", "bf16", "asimd")
    best = next((flag for flag in known if flag in flags), "generic")
    device_class = f"{HOST}-{platform.machine().lower()}-{best}"
    if not cpu_patches():
        device_class += "-unpatched"  # other sums, so other bits
    fast = best in ("amx_bf16", "avx512_bf16", "bf16")
    return Machine(HOST, device_class, "CPU", fast_bf16=fast, remarks=remarks)
