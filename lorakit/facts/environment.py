"""Which versions a result was made with: recorded beside it, never part of its key."""

from __future__ import annotations

import functools
import platform
from collections.abc import Mapping

# what can change the bits of a frame, and of a film or contact sheet
_DECIDING: Mapping[str, tuple[str, ...]] = {
    "render": ("torch", "diffusers", "transformers", "peft"),
    "encode": ("torch", "diffusers", "transformers"),
    "train": ("torch", "diffusers", "transformers", "peft", "accelerate"),
    "assemble": ("pillow", "numpy", "imageio-ffmpeg"),
}


@functools.cache
def environment() -> Mapping[str, str]:
    """Python's version and the packages'; without importing them."""
    from importlib import metadata  # with all of email behind it

    found = {"python": platform.python_version()}
    for package in ("lorakit", *(name for names in _DECIDING.values() for name in names)):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "absent"
    return found


def differences(then: Mapping[str, str], now: Mapping[str, str], slot: str) -> tuple[str, ...]:
    """The deciding packages of a slot whose versions differ, such as "torch 2.12.0 -> 2.13.0"."""
    return tuple(
        f"{name} {then[name]} -> {now[name]}"
        for name in _DECIDING.get(slot, ())
        if name in then and name in now and then[name] != now[name]
    )
