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
_MIG = "mig.mode.current"  # "Enabled" where a GPU is divided
# lines of `nvidia-smi -L`
_WHOLE = re.compile(r"GPU (\d+): ")
_INSTANCE = re.compile(r"\s+MIG (\S*?(\d+)gb\S*)\s+Device\s+\d+: \(UUID: (MIG-[^)\s]+)\)")
# the least compute capability that torch's builds for a version of CUDA have kernels for
_LEAST = {11: 3.7, 12: 5.0, 13: 7.5}


class Gpu(NamedTuple):
    """One GPU; `memory` in bytes, `free` of it as this process first asked, 0 where that is not told.

    One that is `divided` is used by its MIG instances, each of which is a GPU to CUDA and has a `uuid` here.
    """

    name: str
    capability: float
    memory: int
    free: int = 0
    divided: bool = False
    uuid: str = ""


def visible() -> tuple[Gpu, ...]:
    """The GPUs that this process may use, in its own order, as CUDA reads `CUDA_VISIBLE_DEVICES`.

    What stands behind the first entry that names none is not seen. Instances of a divided GPU are each one.
    """
    return tuple(gpu for _, gpu in _seen())


def _seen() -> tuple[tuple[str, Gpu], ...]:
    """The same, each after what `CUDA_VISIBLE_DEVICES` calls it, or its number where that says nothing."""
    every = installed()
    told = os.environ.get(VISIBLE)
    if told is None:
        return tuple(
            (one.uuid or f"{n}", one) for n, gpu in enumerate(every) for one in _units(n, gpu)
        )
    found: dict[str, tuple[str, Gpu]] = {}
    for entry in (part.strip() for part in told.split(",")):
        named = _named(entry, every)
        if named is None or named[0] in found:
            break
        found[named[0]] = (entry, named[1])
    return tuple(found.values())


def _named(entry: str, every: tuple[Gpu, ...]) -> tuple[str, Gpu] | None:
    """What an entry means: something that is the same for two that mean the same, and the GPU."""
    if entry.startswith("MIG-"):
        parts = (one for n, gpu in enumerate(every) for one in _units(n, gpu))
        return next(((one.uuid, one) for one in parts if one.uuid == entry), None)
    number = _number(entry, len(every))
    if number is None:
        return None
    one = _units(number, every[number])[0]  # of a divided one CUDA takes the first instance
    return one.uuid or f"{number}", one


def _units(number: int, gpu: Gpu) -> tuple[Gpu, ...]:
    """A GPU, or its MIG instances."""
    return _instances().get(number, ()) or (gpu,) if gpu.divided else (gpu,)


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


def together() -> int:
    """How many of those alike a training may share: CUDA shows a process one MIG instance alone."""
    every = alike()
    return min(1, len(every)) if every and every[0].uuid else len(every)


def names() -> tuple[str, ...]:
    """What `CUDA_VISIBLE_DEVICES` calls each of those alike; none where there is one GPU alone."""
    seen = _seen()
    if len(seen) < 2:
        return ()
    if os.environ.get(VISIBLE) is None:
        # by number CUDA counts the fastest first, the driver's tool by where they are plugged in
        uuids = dict(enumerate(_uuids()))
        seen = tuple(
            (gpu.uuid or uuids.get(int(entry), entry) if entry.isdigit() else entry, gpu)
            for entry, gpu in seen
        )
    return tuple(entry for entry, gpu in seen if gpu.name == seen[0][1].name)


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
        return tuple(map(_row, _asked(f"name,compute_cap,memory.total,memory.free,{_MIG}")))
    except (OSError, ValueError, subprocess.SubprocessError):
        return ()


def _row(line: str) -> Gpu:
    name, able, memory, *more = (part.strip() for part in line.split(","))
    divided = "Enabled" in more
    free = next((part for part in more if part.replace(".", "").isdigit()), "0")
    return Gpu(name, float(able), _mebibytes(memory), _mebibytes(free), divided)


def _mebibytes(told: str) -> int:
    return int(float(told)) << 20


@functools.cache
def _instances() -> dict[int, tuple[Gpu, ...]]:
    """The MIG instances of each divided GPU, by its number, in the tool's order.

    Their memory is what their profile's name says (`3g.20gb`), which is a little less than they have.
    """
    import subprocess

    every, found, number = installed(), dict[int, tuple[Gpu, ...]](), -1
    try:
        lines = _said("-L")
    except (OSError, subprocess.SubprocessError):
        return {}
    for line in lines:
        if whole := _WHOLE.match(line):
            number = int(whole[1])
        elif (part := _INSTANCE.match(line)) and 0 <= number < len(every):
            gpu = every[number]
            one = Gpu(
                f"{gpu.name} MIG {part[1]}",
                gpu.capability,
                int(part[2]) * 10**9,
                uuid=part[3],
            )
            found[number] = (*found.get(number, ()), one)
    return found


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
    return _said(f"--query-gpu={query}", "--format=csv,noheader,nounits")


def _said(*words: str) -> list[str]:
    """The lines that the driver's tool says. Raises OSError, SubprocessError."""
    import subprocess

    tool = _tool()
    if tool is None:
        raise FileNotFoundError
    return subprocess.run(
        [tool, *words],
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
