"""The files of a team's cache: what they are called, and how one comes, within the time-out.

<cache>/packs/<time>-<sha256>.gz      manifests of many results, written after their objects
<cache>/packs.txt                     the names of all packs, for where folders cannot be listed
<cache>/objects/ab/cdef…              objects by the digest of their bytes
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from lorakit.remote.pace import Beside, Pace, Pulse
from lorakit.remote.protocols import open_transport
from lorakit.remote.settings import CacheSettings
from lorakit.remote.transport import Transport
from lorakit.store.manifests import is_digest

T = TypeVar("T")
PACKS, LIST = "packs", "packs.txt"


def object_name(digest: str) -> str:
    """Where an object is in a cache. Raises ValueError for no digest."""
    if not is_digest(digest):
        raise ValueError(f"{digest!r} is no digest")
    return f"objects/{digest[:2]}/{digest[2:]}"


class CacheFiles:
    """The files of one cache; `pulse` is when something last came of them."""

    def __init__(self, settings: CacheSettings) -> None:
        self.address = settings.address
        self.pulse = Pulse(settings.timeout)

    def transport(self) -> Transport:
        """What moves them. Raises OSError, LorakitError for a library that is not here."""
        return open_transport(self.address, self.pulse.timeout)

    def get(self, name: str, into: Path, most: int) -> None:
        """Bring one of at most so many bytes into a file. Raises OSError, FileNotFoundError, TooLong."""
        self.transport().get(name, into, Pace(self.pulse, most))

    def small(self, name: str, most: int) -> bytes:
        """The bytes of one. Raises OSError, FileNotFoundError, TooLong."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "file"
            self.get(name, path, most)
            return path.read_bytes()

    def one(self, piece: Callable[[], T]) -> T:
        """One piece of work, within the time-out. Raises what it raises, GaveUp."""
        ((_, result),) = list(Beside([piece], self.pulse).results())
        if isinstance(result, Exception):
            raise result
        return result
