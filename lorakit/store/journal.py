"""What the store remembers beside results: which key stood at which address last, and how long work took."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping
from pathlib import Path

from lorakit.files import read_mapping, read_regular
from lorakit.store import atomic

_AGES = 1e9  # s, or shares: more is a damaged file's
_MOST = 500_000_000  # bytes of a journal; of a million actions the largest has 100 MB
_LONGEST = 200  # bytes of a recipe's name in a file's


def checked(data: Mapping[str, object]) -> str:
    """A line of a log that shows whether it is whole: JSON with a checksum of the rest of it."""
    return json.dumps({**data, "check": _check(data)}) + "\n"


def _check(data: Mapping[str, object]) -> str:
    return f"{zlib.crc32(json.dumps(data).encode()):08x}"


def read_checked(path: Path) -> list[dict[str, object]]:
    """The lines of a log that are whole; what was torn off by a kill, or is damaged, is left out."""
    try:
        lines = read_regular(path, _MOST).decode("utf-8", "replace").splitlines()
    except OSError:
        return []
    records = []
    for line in lines:
        try:
            data = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(data, dict) and data.pop("check", "") == _check(data):
            records.append(data)
    return records


class Addresses:
    """For each recipe, the key that each action's address last had: what a plan compares with."""

    def __init__(self, folder: Path, recipe: str) -> None:
        # with what stands before it while it is written, a name of up to 255 bytes would be too long
        text = recipe.encode("utf-8", "surrogateescape")
        name = recipe if len(text) <= _LONGEST else hashlib.sha256(text).hexdigest()
        self._path = folder / "addresses" / f"{name}.json"

    def read(self) -> dict[str, str]:
        """Address to key."""
        return {str(a): str(k) for a, k in read_mapping(self._path, _MOST).items()}

    def update(self, keys: Mapping[str, str]) -> None:
        """Set the keys of some addresses, leaving the others."""
        atomic.write_json(self._path, {**self.read(), **keys}, indent=None)


class Timings:
    """Seconds a unit of work takes on this machine, by what it depends on (model, size, precision)."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "timings.json"

    def read(self) -> dict[str, float]:
        """What is known, in seconds a unit."""
        told = read_mapping(self._path, _MOST)
        timings = {k: v for k, v in told.items() if isinstance(v, int | float)}
        return {k: float(v) for k, v in timings.items() if 0 <= v < _AGES}

    def learn(self, observed: Mapping[str, float]) -> None:
        """Blend new figures with what was known, the new ones weighing most."""
        known = self.read()
        for name, seconds in observed.items():
            known[name] = 0.3 * known[name] + 0.7 * seconds if name in known else seconds
        atomic.write_json(self._path, known)
