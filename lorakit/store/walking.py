"""A walk through the store's objects or manifests, which stand two levels down: `ab/cdef…`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path


def stored(folder: Path) -> Iterator[tuple[str, Path, os.stat_result]]:
    """What stands two levels down in `folder`: its two names as one, its path, and what it is itself.

    Folders that are links are not entered. What cannot be read, or goes meanwhile, is passed over by itself.
    """
    for part in _entries(folder):
        if len(part.name) != 2 or not part.is_dir(follow_symlinks=False):
            continue
        for entry in _entries(Path(part.path)):
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            yield part.name + entry.name, Path(entry.path), status


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []
