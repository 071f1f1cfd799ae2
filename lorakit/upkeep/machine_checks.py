"""What lorakit finds on a machine: Python, libraries, torch and the hardware, ffmpeg, fonts, git."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib import metadata
from typing import TYPE_CHECKING

from lorakit import __version__
from lorakit.facts.machine import nvidia
from lorakit.facts.machine.devices import CUDA
from lorakit.facts.machine.this_machine import this_machine
from lorakit.plan import numbers
from lorakit.upkeep.condition import Condition, Examination

if TYPE_CHECKING:
    from packaging.requirements import Requirement

_PATIENCE = 20  # s for a program to say its version
_CPU_BUILD = "pip install torch --index-url https://download.pytorch.org/whl/cpu"
# a few letters of each script that the fonts of a machine may lack
_SCRIPTS: Mapping[str, str] = {
    "Greek": "αβγ",
    "Cyrillic": "абв",
    "Arabic": "ابت",
    "Hebrew": "אבג",
    "Devanagari": "कखग",
    "Bengali": "কখগ",
    "Tamil": "கஙச",
    "Thai": "กขค",
    "Chinese": "中文字",
    "Japanese": "かなカ",
    "Korean": "한국어",
    "emoji": "🦊🚀",
}


def python() -> Iterator[Condition]:
    """The interpreter, and whether the libraries are there in versions that do."""
    yield Condition(
        "python", "ok", f"Python {platform.python_version()}, lorakit {__version__}, {sys.prefix}"
    )
    yield from _libraries()


def _libraries() -> Iterator[Condition]:
    amiss = 0
    for one in _requirements():
        if one.marker is not None and not one.marker.evaluate({"extra": ""}):
            continue
        there = _version(one.name)
        if there and one.specifier.contains(there, prereleases=True):
            continue
        amiss += 1
        told = f"{one.name} {there} is installed, and lorakit needs {one.specifier}"
        missing = f"{one.name} is not installed"
        yield Condition("libraries", "error", told if there else missing, (f"pip install '{one}'",))
    if not amiss:
        yield Condition("libraries", "ok", "all are there, in versions that do")


def _requirements() -> list[Requirement]:
    from packaging.requirements import Requirement

    return [Requirement(text) for text in metadata.requires("lorakit") or ()]


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def extras() -> Iterator[Condition]:
    """Which of the optional parts are installed."""
    wanted = _requirements()
    names = metadata.metadata("lorakit").get_all("Provides-Extra") or []
    states: dict[bool, list[str]] = {True: [], False: []}
    for name in sorted(set(names) - {"dev"}):
        parts = [
            one
            for one in wanted
            if one.marker is not None
            and one.marker.evaluate({"extra": name})
            and not one.marker.evaluate({"extra": ""})
        ]
        states[all(_version(one.name) for one in parts)].append(name)
    yield Condition("extras", "ok", f"installed: {', '.join(states[True]) or 'none'}")
    if states[False]:
        yield Condition(
            "extras",
            "note",
            f"not installed: {', '.join(states[False])}",
            ("where a recipe needs one: pip install 'lorakit[NAME]'",),
        )


def torch() -> Iterator[Condition]:
    """Whether torch's build is one for this machine's hardware."""
    there, build, gpus = _version("torch"), nvidia.torch_cuda(), nvidia.installed()
    if not there:
        return  # told among the libraries
    words = f"torch {there}, built for {f'CUDA {build}' if build else 'the CPU'}"
    why_not = nvidia.why_unusable()
    if why_not:
        way = "an older torch has kernels for it" if build and gpus else ""
        yield Condition("torch", "warning", f"{words}: {why_not}", (way,) if way else ())
    elif build and not gpus:
        message = f"{words}, and there is no NVIDIA GPU: gigabytes of it are never used"
        yield Condition("torch", "note", message, (_CPU_BUILD,))
    else:
        yield Condition("torch", "ok", words)


def device() -> Iterator[Condition]:
    """What pictures are drawn on. Raises MachineError."""
    found = this_machine()
    memory = f"{numbers.size(found.memory)} of memory"
    cores = numbers.count(found.cores, "core")
    many = f"{found.gpus} of " if found.gpus > 1 else ""
    precision = f"precision auto is {found.precision('auto')}"
    if found.device == CUDA:
        precision += ", fp32 is computed without TF32"
    yield Condition("device", "ok", f"{many}{found.name}, {memory}; {cores}; {precision}")


def ffmpeg() -> Iterator[Condition]:
    """Whether there is an ffmpeg that runs."""
    ways = (
        "pip install --force-reinstall imageio-ffmpeg",
        "or let IMAGEIO_FFMPEG_EXE name an ffmpeg that runs here",
    )
    try:
        import imageio_ffmpeg

        path = str(imageio_ffmpeg.get_ffmpeg_exe())
        said = subprocess.run(
            [path, "-version"], capture_output=True, text=True, timeout=_PATIENCE, check=True
        ).stdout
    except (ImportError, RuntimeError, OSError, subprocess.SubprocessError) as error:
        first = next(iter(str(error).splitlines()), type(error).__name__)
        yield Condition("ffmpeg", "error", f"no film can be written: {first}", ways)
        return
    version = " ".join(said.split()[:3])
    yield Condition("ffmpeg", "ok", f"{version}, {path}")


def fonts() -> Iterator[Condition]:
    """Which scripts captions and sheets can be lettered in."""
    from lorakit.facts.fonts.fallbacks import missing_glyphs

    lacking = [name for name, letters in _SCRIPTS.items() if missing_glyphs(letters)]
    has = [name for name in _SCRIPTS if name not in lacking]
    yield Condition("fonts", "ok", f"letters for Latin, {', '.join(has)}")
    if lacking:
        ways = ("captions in these: pip install 'lorakit[fonts]'",)
        yield Condition("fonts", "note", f"no letters for {', '.join(lacking)}", ways)


def git() -> Iterator[Condition]:
    """Whether git is there."""
    path = shutil.which("git")
    if path is None:
        way = "https://git-scm.com/downloads: storyboards are best kept in it"
        yield Condition("git", "note", "git is not installed", (way,))
        return
    try:
        said = subprocess.run(
            [path, "--version"], capture_output=True, text=True, timeout=_PATIENCE, check=True
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError) as error:
        yield Condition("git", "warning", f"{path} does not run: {error}")
        return
    yield Condition("git", "ok", said)


def hub() -> Iterator[Condition]:
    """What stands in the way of the hub."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        message = "HF_HUB_OFFLINE is set: nothing is downloaded"
        yield Condition("hub", "note", message, ("unset HF_HUB_OFFLINE",))
    cache = constants.HF_HUB_CACHE
    if os.path.isdir(cache) and not os.access(cache, os.W_OK):  # noqa: PTH112
        way = "let HF_HOME name a folder that may be written"
        yield Condition("hub", "warning", f"{cache} may not be written: no downloads", (way,))


def roots() -> Iterator[Condition]:
    """Whether the user's config can be read and its folders are there. Raises InvalidDocument."""
    from lorakit.facts.files.roots import read_roots
    from lorakit.facts.files.user_config import config_path

    path = config_path()
    words = str(path) if path.is_file() else f"none yet; it would be {path}"
    yield Condition("config", "ok", words)
    found = read_roots()
    for name, folder in found.items():
        if not folder.is_dir():
            message = f"root {name}: there is no folder {folder}"
            yield Condition("config", "warning", message, (f"mend it in {path}",))
    if found and all(folder.is_dir() for folder in found.values()):
        yield Condition("config", "ok", f"roots: {', '.join(found)}")


def cluster() -> Iterator[Condition]:
    """What `--on` would use. Raises InvalidDocument."""
    from lorakit.cluster.settings import RaySettings, SlurmSettings, ray_settings, slurm_settings

    ray, slurm = ray_settings(), slurm_settings()
    told = (
        ("ray", "ray", ray != RaySettings(), ray.address or os.environ.get("RAY_ADDRESS", "")),
        ("slurm", "submitit", slurm != SlurmSettings(), slurm.folder),
    )
    for name, package, configured, where in told:
        there = _version(package)
        if configured and not there:
            message = f"your config says where --on {name} goes, and {package} is not installed"
            yield Condition("cluster", "warning", message, (f"pip install 'lorakit[{name}]'",))
        elif there:
            words = where or ("a cluster of this machine" if name == "ray" else "no folder yet")
            yield Condition("cluster", "ok", f"{package} {there}: --on {name} goes to {words}")
    if slurm != SlurmSettings() and shutil.which("sbatch") is None:
        message = "your config names a Slurm, and there is no sbatch here"
        way = "run --on slurm on a login node"
        yield Condition("cluster", "warning", message, (way,))


EXAMINATIONS: Mapping[str, Examination] = {
    "python": python,
    "extras": extras,
    "torch": torch,
    "device": device,
    "ffmpeg": ffmpeg,
    "fonts": fonts,
    "git": git,
    "hub": hub,
    "config": roots,
    "cluster": cluster,
}
