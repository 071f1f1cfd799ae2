"""NVIDIA's GPUs, as the driver's tool tells of them: which this process may use, and whether torch can."""

from __future__ import annotations

import functools
import importlib.util
import os
import re
import shutil
from pathlib import Path
from typing import NamedTuple

VISIBLE = "CUDA_VISIBLE_DEVICES"
# the least compute capability that torch's builds for a version of CUDA have kernels for
_LEAST = {11: 3.7, 12: 5.0, 13: 7.5}


class Gpu(NamedTuple):
    """One GPU; `memory` in bytes, `free` of it as this process first asked, 0 where that is not told."""

    name: str
    capability: float
    memory: int
    free: int = 0


def visible() -> tuple[Gpu, ...]:
    """The GPUs that this process may use, in its own order, as CUDA reads `CUDA_VISIBLE_DEVICES`.

    What stands behind the first entry that names none is not seen.
    """
    every = installed()
    told = os.environ.get(VISIBLE)
    if told is None:
        return every
    found: list[int] = []
    for entry in (part.strip() for part in told.split(",")):
        number = _number(entry, len(every))
        if number is None or number in found:
            break
        found.append(number)
    return tuple(every[number] for number in found)


def _number(entry: str, count: int) -> int | None:
    if re.fullmatch(r"\d{1,4}", entry):
        return int(entry) if int(entry) < count else None
    if not entry.startswith("GPU-"):
        return None
    chosen = [n for n, uuid in enumerate(_uuids()[:count]) if uuid.startswith(entry)]
    return chosen[0] if len(chosen) == 1 else None


def alike() -> tuple[Gpu, ...]:
    """The GPUs that this process may use, of the first one's name: others compute other bits."""
    seen = visible()
    return tuple(gpu for gpu in seen if gpu.name == seen[0].name)


def names() -> tuple[str, ...]:
    """What `CUDA_VISIBLE_DEVICES` calls each of those alike; none where there is one GPU alone."""
    seen = visible()
    told = os.environ.get(VISIBLE)
    # by number CUDA counts the fastest first, the driver's tool by where they are plugged in
    every = _uuids() or tuple(map(str, range(len(seen)))) if told is None else told.split(",")
    if len(seen) < 2 or len(every) < len(seen):
        return ()
    paired = zip(every, seen, strict=False)
    return tuple(entry.strip() for entry, gpu in paired if gpu.name == seen[0].name)


def why_unusable() -> str:
    """Why the GPUs that are here cannot be used, in words; "" where they can, or where there are none."""
    every = installed()
    if not every:
        return _failure()
    name, build = every[0].name, torch_cuda()
    if build is None:
        return (
            f"there is {_a(name)}, and this torch was built for the CPU alone; "
            "https://pytorch.org/get-started/locally has one for CUDA"
        )
    if not visible():
        return f"there is {_a(name)}, and {VISIBLE}={os.environ.get(VISIBLE)} hides it"
    least = _LEAST.get(build, 0.0)
    weak = next((gpu for gpu in visible() if gpu.capability < least), None)
    if weak is not None:
        return (
            f"{_a(weak.name)} has compute capability {weak.capability:g}, and torch's build for CUDA {build} "
            f"begins at {least:g}"
        )
    return ""


def _a(name: str) -> str:
    return f"an {name}" if name.startswith("NVIDIA") else f"a {name}"


@functools.cache
def installed() -> tuple[Gpu, ...]:
    """The GPUs of this machine, in the driver's order; none where there is no driver."""
    if _tool() is None:
        return ()
    import subprocess

    try:
        rows = [line.split(",") for line in _asked("name,compute_cap,memory.total,memory.free")]
        return tuple(
            Gpu(name.strip(), float(able), *(int(float(size)) << 20 for size in sizes))
            for name, able, *sizes in rows
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return ()


@functools.cache
def driver() -> str:
    """The driver's version; empty where there is none that tells."""
    import subprocess

    try:
        return next((line.strip() for line in _asked("driver_version")), "")
    except (OSError, subprocess.SubprocessError):
        return ""


@functools.cache
def _uuids() -> tuple[str, ...]:
    import subprocess

    try:
        return tuple(line.strip() for line in _asked("uuid"))
    except (OSError, subprocess.SubprocessError):
        return ()


def _failure() -> str:
    """Why the driver's tool tells of no GPU, where there is such a tool."""
    if _tool() is None:
        return ""
    import subprocess

    try:
        _asked("name")
    except subprocess.CalledProcessError as error:
        first = next(iter((error.stdout or error.stderr or "").strip().splitlines()), "no word")
        return f"nvidia-smi finds no GPU it can use: {first}"
    except subprocess.TimeoutExpired:
        return "nvidia-smi does not answer"
    except OSError:
        return ""
    return ""


def _tool() -> str | None:
    return shutil.which("nvidia-smi")


def _asked(query: str) -> list[str]:
    import subprocess

    tool = _tool()
    if tool is None:
        raise FileNotFoundError
    return subprocess.run(
        [tool, f"--query-gpu={query}", "--format=csv,noheader,nounits"],
        capture_output=True,
        text=True,
        timeout=10,
        check=True,
    ).stdout.splitlines()


def torch_cuda() -> int | None:
    """The version of CUDA that torch was built for; None for none."""
    # the version file says which build this is; importing torch would take a second
    found = importlib.util.find_spec("torch")
    if found is None or found.origin is None:
        return None
    try:
        text = (Path(found.origin).parent / "version.py").read_text("utf-8")
    except OSError:
        return None
    told = re.search(r"^cuda[^=]*= *'(\d+)", text, re.MULTILINE)
    return int(told[1]) if told else None
