"""The smaller batch sizes that were found equal, and what calls took, kept for a user's projects.

To find them costs some calls a run. They hold for the very model, precision, processor, number of threads
and versions they were found with, which all stand in their key; what is not there, or cannot be read, is
found anew.
"""

from __future__ import annotations

import contextlib
import math
import platform
import re
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

import torch

from lorakit.facts.machine.devices import DEVICES
from lorakit.facts.machine.this_machine import cpu_patches
from lorakit.plan.engine_specs import DrawingSpec
from lorakit.store import sealed
from lorakit.store.canonical import digest_of

_VERSION = 2  # to be raised where the UNet is called in another way
Tried = dict[int, int]
_MANY = 256  # entries kept; a project that tries many models must not gather them for ever


def _processor(device: str) -> str:
    if DEVICES[device].own_memory:
        named: str = torch.get_device_module(device).get_device_name()
        return f"{named} {torch.version.cuda}"
    match = None
    with contextlib.suppress(OSError):
        text = Path("/proc/cpuinfo").read_text("utf-8")
        match = re.search(r"^(?:model name|CPU part)\s*:\s*(.*)$", text, re.MULTILINE)
    name = match[1] if match else platform.processor() or platform.machine()
    return f"{name} {torch.backends.cpu.get_cpu_capability()}"


class KnownBatchSizes:
    """What is known of one engine's batch sizes; `file` is None where nothing is to be kept."""

    def __init__(self, file: Path | None, spec: DrawingSpec) -> None:
        self._file = file
        self._surroundings: dict[str, object] = {
            **spec.key(),
            "version": _VERSION,
            "torch": torch.__version__,
            "diffusers": metadata.version("diffusers"),
            "processor": _processor(spec.device),
            "threads": torch.get_num_threads(),
            "patches": cpu_patches(),
        }

    def tried(self, sort: object) -> Tried:
        """What is known for a sort of rows: how often each batch size was equal, 0 for one that differs."""
        kept = self._read().get(self._key(sort))
        if not isinstance(kept, dict):
            return {}
        return {
            int(size): equal
            for size, equal in kept.items()
            if size.isdecimal() and type(equal) is int
        }

    def seconds(self, sort: object) -> dict[int, float]:
        """What a call of a sort of rows took at each batch size that was measured."""
        kept = self._read().get(self._key(("seconds", sort)))
        if not isinstance(kept, dict):
            return {}
        return {
            int(size): float(taken)
            for size, taken in kept.items()
            if size.isdecimal() and isinstance(taken, float) and 0 < taken < math.inf
        }

    def keep(self, sort: object, tried: Tried) -> None:
        """Keep what was found. Another run may write meanwhile: then it is found again, nothing worse."""
        self._put(self._key(sort), {str(size): equal for size, equal in tried.items()})

    def keep_seconds(self, sort: object, seconds: Mapping[int, float]) -> None:
        """Keep what calls took."""
        self._put(self._key(("seconds", sort)), {str(size): t for size, t in seconds.items()})

    def _put(self, key: str, found: Mapping[str, object]) -> None:
        entries = {**self._read(), key: dict(found)}
        if self._file is not None:
            with contextlib.suppress(OSError):
                newest = dict(list(entries.items())[-_MANY:])
                sealed.write(self._file, newest)

    def _key(self, sort: object) -> str:
        return digest_of({**self._surroundings, "sort": sort})

    def _read(self) -> dict[str, object]:
        data = sealed.read(self._file) if self._file is not None else {}
        return data if isinstance(data, dict) else {}
