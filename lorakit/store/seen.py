"""Digests of files, remembered for as long as the files are untouched.

A file counts as untouched while its size, both its times and its inode are what they were when it was read:
a program can put back what it says was the time of change (mtime), but not the system's own (ctime).
"""

from __future__ import annotations

import errno
import hashlib
import os
import time
from pathlib import Path

from lorakit.files import open_regular
from lorakit.store import sealed
from lorakit.store.manifests import is_digest

Identity = tuple[int, int, int, int]
# ns; what was touched so shortly before it was read may be touched again within one tick of the disk's clock
FRESH = 100_000_000
_ATTEMPTS = 3  # at a file that changes while it is read


def identity(status: os.stat_result) -> Identity:
    """What tells that a file was touched: size, times of change, inode."""
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def digest_and_identity(path: Path, *, follow: bool = True) -> tuple[str, Identity]:
    """SHA-256 of a file's bytes, and what the file was while they were read.

    Raises OSError, also for a file that goes on changing.
    """
    for _ in range(_ATTEMPTS):
        with open_regular(path, follow=follow) as file:
            before = identity(os.fstat(file.fileno()))
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            if identity(os.fstat(file.fileno())) == before:
                return digest, before
    raise OSError(errno.EBUSY, "it changes while it is read", str(path))


class Memory:
    """Digests by name with the identity of the file they were read from, kept in a JSON file or nowhere."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._known: dict[str, list[object]] | None = None
        self._new = False

    def get(self, name: str, current: Identity) -> str | None:
        """The digest that a file of this name had, if it is the same file still."""
        entry = self._entries().get(name)
        if isinstance(entry, list) and len(entry) == 5 and entry[:4] == list(current):
            return str(entry[4]) if is_digest(entry[4]) else None
        return None

    def set(self, name: str, current: Identity, digest: str) -> None:
        """Remember a digest, unless the file was touched just now."""
        if time.time_ns() - max(current[1], current[2]) > FRESH:
            self._entries()[name] = [*current, digest]
            self._new = True

    def forget(self) -> None:
        """From here on everything is read anew."""
        self._known, self._new = {}, True

    def save(self) -> None:
        """Keep what was learnt; a folder that cannot be written costs time only."""
        if self._new and self._file is not None and self._file.parent.is_dir():
            try:
                sealed.write(self._file, self._known)
            except OSError:
                return
            self._new = False

    def _entries(self) -> dict[str, list[object]]:
        if self._known is None:
            data = sealed.read(self._file) if self._file is not None else {}
            self._known = data if isinstance(data, dict) else {}
        return self._known
