"""Which versions, and which GPU, a result was made with: recorded beside it, never part of its key."""

from __future__ import annotations

import functools
import platform
from collections.abc import Iterable, Mapping

from lorakit.facts.machine import nvidia
from lorakit.facts.machine.devices import CUDA
from lorakit.facts.machine.this_machine import MachineError, this_machine

# what can change the bits of anything that a worker makes (plan/workers.py says which of what)
RECORDED = (
    "torch",
    "diffusers",
    "transformers",
    "peft",
    "accelerate",
    "pillow",
    "numpy",
    "imageio-ffmpeg",
)


# on another card, or with another driver, torch's kernels may round otherwise
OF_GPUS = ("gpu", "driver")


@functools.cache
def environment() -> Mapping[str, str]:
    """Python's version and the packages', without importing them; the GPU that is used, and its driver's."""
    from importlib import metadata  # with all of email behind it

    found = {"python": platform.python_version()}
    for package in ("lorakit", *RECORDED):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "absent"
    return found | dict(zip(OF_GPUS, _gpu(), strict=False))


def _gpu() -> tuple[str, ...]:
    """The name of the card that computes, and the version of its driver; nothing on other machines."""
    try:
        machine = this_machine()
    except MachineError:  # told of where a plan is asked for
        return ()
    return (machine.name, nvidia.driver() or "unknown") if machine.device == CUDA else ()


def differences(
    then: Mapping[str, str], now: Mapping[str, str], packages: Iterable[str]
) -> tuple[str, ...]:
    """Those of the packages whose versions differ, such as "torch 2.12.0 -> 2.13.0"."""
    return tuple(
        f"{name} {then[name]} -> {now[name]}"
        for name in packages
        if name in then and name in now and then[name] != now[name]
    )
