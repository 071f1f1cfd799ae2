"""What a cache's protocol must be able to do; names are paths below the cache, with forward slashes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

from lorakit.remote.pace import Pace


class Stored(NamedTuple):
    """A file in a cache: its bytes, and when it was written (s since 1970; 0 where nobody says)."""

    size: int
    written: float


class Transport(Protocol):
    """Moves files. Everything raises OSError, FileNotFoundError where there is nothing of that name."""

    def names(self, folder: str) -> list[str]:
        """What the files in a folder are called; none where there is no such folder."""
        ...

    def files(self, folder: str) -> Mapping[str, Stored]:
        """All files below a folder by their names from the cache's top."""
        ...

    def has(self, name: str) -> bool:
        """Whether there is a file of this name."""
        ...

    def get(self, name: str, into: Path, pace: Pace) -> None:
        """Write a file's bytes to `into` as they come, each piece counted by `pace`."""
        ...

    def put(self, name: str, source: Path, pace: Pace) -> None:
        """Put a file there, at once and whole, in the place of what may be there."""
        ...

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...
