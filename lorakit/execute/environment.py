"""Which versions a result was made with: recorded beside it, never part of its key."""

from __future__ import annotations

import platform
from importlib import metadata

PACKAGES = ("lorakit", "torch", "diffusers", "transformers", "peft", "numpy", "pillow")


def environment(device_class: str) -> dict[str, str]:
    """Package versions, Python's, and the class of the device."""
    found = {"python": platform.python_version(), "device": device_class}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "unknown"
    return found
