"""What this machine is, found out without importing torch."""

from __future__ import annotations

import functools
import importlib.util
import os
import platform
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from lorakit.facts.devices import CUDA, DEVICES, HOST, MPS, Device

DEVICE_VARIABLE = "LORAKIT_DEVICE"
CPU_PATCHES_VARIABLE = "LORAKIT_CPU_PATCHES"


@dataclass(frozen=True, slots=True)
class Machine:
    """The device that pictures are drawn on.

    `device_class` says between which machines bits agree, and is part of keys; `fast_bf16` whether bf16
    runs faster than fp32 here.
    """

    device: str
    device_class: str
    name: str
    fast_bf16: bool

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
        if not self.kind.own_memory:
            return int(self.kind.gpu)
        visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        return len(_nvidias()) if visible is None else len(list(filter(None, visible.split(","))))

    @property
    def memory(self) -> int:
        """The device's memory in bytes; a Mac's GPU shares the machine's."""
        return _memory(self.device)

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


def _torch_has_cuda() -> bool:
    # the version file says which build this is; importing torch would take a second
    found = importlib.util.find_spec("torch")
    if found is None or found.origin is None:
        return False
    try:
        text = (Path(found.origin).parent / "version.py").read_text("utf-8")
    except OSError:
        return False
    return re.search(r"^cuda[^=]*= *'[0-9]", text, re.MULTILINE) is not None


@functools.cache
def _nvidias() -> tuple[tuple[str, float, int], ...]:
    """Name, compute capability and memory in bytes of each GPU."""
    import shutil
    import subprocess

    tool = shutil.which("nvidia-smi")
    if tool is None:
        return ()
    query = "--query-gpu=name,compute_cap,memory.total"
    try:
        answer = subprocess.run(
            [tool, query, "--format=csv,noheader,nounits"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        ).stdout.splitlines()
        parts = [[part.strip() for part in line.split(",")] for line in answer]
        return tuple((name, float(able), int(float(size)) << 20) for name, able, size in parts)
    except (OSError, ValueError, subprocess.SubprocessError):
        return ()


def _nvidia() -> tuple[str, float, int] | None:
    return next(iter(_nvidias()), None)


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

    gpu = _nvidia() if DEVICES[device].own_memory else None
    return gpu[2] if gpu else int(psutil.virtual_memory().total)


@functools.cache
def this_machine() -> Machine:
    """What stands here; `LORAKIT_DEVICE=cpu|cuda|mps` overrules the choice of device."""
    wanted = os.environ.get(DEVICE_VARIABLE, "")
    gpu = _nvidia() if wanted in ("", CUDA) and _torch_has_cuda() else None
    if gpu is not None:
        name, capability, _ = gpu
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        return Machine(CUDA, f"{CUDA}-{slug}", name, fast_bf16=capability >= 8)
    if wanted in ("", MPS) and sys.platform == "darwin" and platform.machine() == "arm64":
        return Machine(MPS, MPS, "Apple GPU", fast_bf16=False)
    flags = _cpu_flags()
    known = ("amx_bf16", "avx512_bf16", "avx512f", "avx2", "bf16", "asimd")
    best = next((flag for flag in known if flag in flags), "generic")
    device_class = f"{HOST}-{platform.machine().lower()}-{best}"
    if not cpu_patches():
        device_class += "-unpatched"  # other sums, so other bits
    fast = best in ("amx_bf16", "avx512_bf16", "bf16")
    return Machine(HOST, device_class, "CPU", fast_bf16=fast)
