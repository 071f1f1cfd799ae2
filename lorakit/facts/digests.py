"""Digests of files, remembered by path, size and time of change."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from lorakit.store import atomic
from lorakit.store.canonical import digest_of, file_digest

UNREAD = "unread"  # what stands for a digest that nobody asked for


class Digests:
    """SHA-256 of files; `cache` is a JSON file that makes the next look-up cheap, or None."""

    def __init__(self, cache: Path | None) -> None:
        self._cache = cache
        self._known: dict[str, list[object]] = {}
        self._new = False
        if cache is not None:
            try:
                data = json.loads(cache.read_bytes())
                self._known = data if isinstance(data, dict) else {}
            except (OSError, ValueError):
                pass

    def file(self, path: Path) -> str:
        """The digest of one file. Raises OSError where it cannot be read."""
        status = path.stat()
        name = str(path.resolve())
        known = self._known.get(name)
        if known and known[:2] == [status.st_size, status.st_mtime_ns]:
            return str(known[2])
        digest = file_digest(path)
        self._known[name] = [status.st_size, status.st_mtime_ns, digest]
        self._new = True
        return digest

    def files(self, folder: Path, names: Iterable[str]) -> str:
        """One digest for several files of a folder: their names and contents, whatever the order."""
        return digest_of({name: self.file(folder / name) for name in names})

    def save(self) -> None:
        """Keep what was learnt; a folder that cannot be written costs time only."""
        if self._new and self._cache is not None and self._cache.parent.is_dir():
            try:
                atomic.write_json(self._cache, self._known, durable=False)
            except OSError:
                return


class Unread(Digests):
    """Stand-ins for who needs no keys: says only whether files can be opened, and reads none."""

    def __init__(self) -> None:
        super().__init__(None)

    def file(self, path: Path) -> str:
        """No digest. Raises OSError where the file cannot be read."""
        with path.open("rb"):
            return UNREAD
