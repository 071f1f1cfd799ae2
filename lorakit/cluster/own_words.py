"""The run's folders in the place of a node's own, in what is told, logged or noted there.

A library may write where it is: MLflow's meta.yaml has a URI of its folder, a traceback has paths.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath


class OwnWords:
    """Folders of jobs, and what the run calls them, as they come and go; `files` does that for files."""

    def __init__(self, files: Callable[[str], str]) -> None:
        self._files = files
        self._theirs: dict[str, str] = {}

    def begin(self, folders: Mapping[Path, str]) -> None:
        """A job has these folders, each with the run's own name of it."""
        for own, their in folders.items():
            if _path(their).is_absolute():
                # a URI has the path in it
                self._theirs |= {own.as_uri(): _path(their).as_uri(), str(own): their}

    def end(self, folders: Mapping[str, Path]) -> None:
        """It has them no more."""
        for own in folders.values():
            self._theirs.pop(str(own), None)
            self._theirs.pop(own.as_uri(), None)

    def as_told(self, text: str) -> str:
        """A text as the run reads it."""
        text = self._files(text)
        for own, their in self._theirs.items():
            text = text.replace(own, their)
        return text

    def put_right(self, file: Path) -> None:
        """A file of text, in place. Raises OSError."""
        before = file.read_bytes()
        after = os.fsencode(self.as_told(os.fsdecode(before)))
        if after != before:
            draft = file.with_name(f"{file.name}.tmp")
            draft.write_bytes(after)
            draft.replace(file)


def _path(named: str) -> PurePath:
    """A path of the run's machine, which may be another kind of system than this one."""
    return PurePosixPath(named) if named.startswith("/") else PureWindowsPath(named)
