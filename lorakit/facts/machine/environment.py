"""Which versions a result was made with: recorded beside it, never part of its key."""

from __future__ import annotations

import functools
import platform
from collections.abc import Iterable, Mapping

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


@functools.cache
def environment() -> Mapping[str, str]:
    """Python's version and the packages'; without importing them."""
    from importlib import metadata  # with all of email behind it

    found = {"python": platform.python_version()}
    for package in ("lorakit", *RECORDED):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "absent"
    return found


def differences(
    then: Mapping[str, str], now: Mapping[str, str], packages: Iterable[str]
) -> tuple[str, ...]:
    """Those of the packages whose versions differ, such as "torch 2.12.0 -> 2.13.0"."""
    return tuple(
        f"{name} {then[name]} -> {now[name]}"
        for name in packages
        if name in then and name in now and then[name] != now[name]
    )
