"""How the language reaches the files it reads: from a folder, or from whatever stands in for one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

from lorakit.files import read_regular

_MOST = 64_000_000  # bytes; a document may have less, which is told where it stands


class Reader(Protocol):
    """All that the language asks of a file system; a git revision can answer the same questions."""

    def read_bytes(self, path: Path) -> bytes:
        """The bytes of a file; raises OSError where it cannot be read."""
        ...

    def exists(self, path: Path) -> bool:
        """Whether there is a file or folder at `path`."""
        ...

    def is_file(self, path: Path) -> bool:
        """Whether there is a file at `path`."""
        ...

    def names(self, folder: Path) -> tuple[str, ...]:
        """What stands in a folder, sorted; nothing where it cannot be read."""
        ...

    def resolve(self, path: Path) -> Path:
        """The absolute path without `..` and links, by which a file is known as one and the same."""
        ...

    def display(self, path: Path) -> str:
        """How messages name the file."""
        ...


class FolderReader:
    """The ordinary file system."""

    def __init__(self) -> None:
        self._here = Path.cwd()

    def read_bytes(self, path: Path) -> bytes:
        """The bytes of a file; raises OSError where it cannot be read."""
        return read_regular(path, _MOST)

    def exists(self, path: Path) -> bool:
        """Whether there is a file or folder at `path`."""
        return os.path.exists(path)  # noqa: PTH110 - unlike Path.exists, False for names too long to be

    def is_file(self, path: Path) -> bool:
        """Whether there is a file at `path`."""
        return os.path.isfile(path)  # noqa: PTH113 - as above

    def names(self, folder: Path) -> tuple[str, ...]:
        """What stands in a folder, sorted; nothing where it cannot be read."""
        try:
            return tuple(sorted(path.name for path in folder.iterdir()))
        except (OSError, ValueError):
            return ()

    def resolve(self, path: Path) -> Path:
        """The absolute path without `..` and links; as it stands where the links go round in a ring."""
        try:
            return path.resolve()
        except (OSError, RuntimeError):
            return path.absolute()

    def display(self, path: Path) -> str:
        """Relative to the current directory where it is below it, with forward slashes."""
        absolute = Path(os.path.abspath(path))  # noqa: PTH100 - keeps links, so that names stay the user's
        if absolute.is_relative_to(self._here):
            return absolute.relative_to(self._here).as_posix()
        return absolute.as_posix()
