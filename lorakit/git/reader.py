"""What the language asks of files, answered by a revision: see `language/yaml/reader.py`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from lorakit.language import FolderReader
from lorakit.language.projects import MARKS

if TYPE_CHECKING:
    from lorakit.git.snapshot import Snapshot


class RevisionReader:
    """Files below the snapshot's folder are the revision's; all others are those of the machine.

    A path below the repository's own top means the revision's file of that name.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._machine = FolderReader()
        self._here = Path.cwd()

    def read_bytes(self, path: Path) -> bytes:
        """The bytes of a file; raises OSError where it cannot be read."""
        inside = self.inside(path)
        return self._machine.read_bytes(path) if inside is None else self._snapshot.read(inside)

    def exists(self, path: Path) -> bool:
        """Whether there is a file or folder at `path`."""
        inside = self.inside(path)
        if inside is None:
            return self._machine.exists(path)
        if path.name in MARKS:  # git keeps neither
            return self._machine.exists(self._snapshot.top / inside)
        return (
            self._snapshot.entry(inside) is not None or self._snapshot.borrowed(inside) is not None
        )

    def is_file(self, path: Path) -> bool:
        """Whether there is a file at `path`."""
        inside = self.inside(path)
        if inside is None:
            return self._machine.is_file(path)
        if path.name in MARKS:
            return self._machine.is_file(self._snapshot.top / inside)
        entry = self._snapshot.entry(inside)
        if entry is None:
            borrowed = self._snapshot.borrowed(inside)
            return borrowed is not None and borrowed.is_file()
        return entry.kind == "file"

    def names(self, folder: Path) -> tuple[str, ...]:
        """What stands in a folder, sorted; nothing where it cannot be read."""
        inside = self.inside(folder)
        if inside is None:
            return self._machine.names(folder)
        real = self._snapshot.tree.follow(inside)
        return () if real is None else self._snapshot.tree.names(real)

    def resolve(self, path: Path) -> Path:
        """The path below the snapshot's folder without `..` and links; the machine's where it leads out."""
        inside = self.inside(path)
        if inside is None:
            return self._machine.resolve(path)
        real = self._snapshot.tree.follow(inside)
        if real is None:
            return self._machine.resolve(self._snapshot.top / inside)
        return self._snapshot.folder / real

    def display(self, path: Path) -> str:
        """As git names the file: HEAD~1:recipes/film.yaml."""
        inside = self.inside(path)
        if inside is None:
            return self._machine.display(path)
        return f"{self._snapshot.revision}:{inside}"

    def inside(self, path: Path) -> str | None:
        """A path from the top of the repository; None for a file that is not in it."""
        whole = Path(os.path.normpath(self._here / path))
        for top in (self._snapshot.folder, self._snapshot.top):
            if whole.is_relative_to(top):
                return _posix(whole, top)
        # the folders above a file may be called by links, the file itself is the revision's
        real = Path(os.path.realpath(whole.parent)) / whole.name
        return _posix(real, self._snapshot.top) if real.is_relative_to(self._snapshot.top) else None


def _posix(path: Path, top: Path) -> str:
    inside = path.relative_to(top).as_posix()
    return "" if inside == "." else inside
