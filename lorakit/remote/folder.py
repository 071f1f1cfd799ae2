"""A cache in a folder, as one on a mounted disk: no library is needed for it."""

from __future__ import annotations

import contextlib
import os
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path

from lorakit.files import anywhere, open_regular
from lorakit.remote.pace import Pace
from lorakit.remote.transport import Stored

_PIECE = 1 << 20


class FolderTransport:
    """Files below a folder, which need not be there before the first is put."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def names(self, folder: str) -> list[str]:
        """What the files in a folder are called."""
        with contextlib.suppress(FileNotFoundError), os.scandir(self._root / folder) as entries:
            return [e.name for e in entries if e.is_file() and not e.name.startswith(".")]
        if not self._root.is_dir() and not self._root.parent.is_dir():
            raise FileNotFoundError(2, f"there is no folder {self._root}")
        return []

    def files(self, folder: str) -> Mapping[str, Stored]:
        """All files below a folder; links are not followed."""
        found = {}
        for at, _, names in os.walk(self._root / folder):
            for name in names:
                path = Path(at, name)
                with contextlib.suppress(OSError):
                    status = path.lstat()
                    key = path.relative_to(self._root).as_posix()
                    found[key] = Stored(status.st_size, status.st_mtime)
        return found

    def has(self, name: str) -> bool:
        """Whether there is a file of this name."""
        return (self._root / name).is_file()

    def get(self, name: str, into: Path, pace: Pace) -> None:
        """Copy a file out."""
        with anywhere(), open_regular(self._root / name) as source, into.open("wb") as target:
            while piece := source.read(_PIECE):
                pace.count(len(piece))
                target.write(piece)

    def put(self, name: str, source: Path, pace: Pace) -> None:
        """Copy a file in, under another name first, so that nobody meets half of it."""
        target = self._root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{uuid.uuid4().hex}.part")
        try:
            with anywhere(), open_regular(source) as read, part.open("wb") as written:
                while piece := read.read(_PIECE):
                    pace.count(len(piece))
                    written.write(piece)
            part.replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                part.unlink()
            raise

    def remove(self, name: str) -> None:
        """Remove a file."""
        path = self._root / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """There is no connection."""
