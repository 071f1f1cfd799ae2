"""The user's named folders: `roots:` in config.yaml of the user's config folder.

    roots: {sd: ~/models, art: /data/art}

A document may then say `sd:x.safetensors` for a file outside its project.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

from lorakit.diagnostics import Diagnostic, InvalidDocument, shortened
from lorakit.facts.files.user_config import UserConfig

_NAME = re.compile(r"[a-z][a-z0-9_]+\Z")


def read_roots(config: Path | None = None) -> dict[str, Path]:
    """Read the named roots of a config file, the user's by default; none if there is no such file.

    Raises InvalidDocument where the file is there and cannot be understood.
    """
    read = UserConfig(config)
    roots = read.value("roots")
    if roots is None:
        return {}
    if not isinstance(roots, dict):
        raise InvalidDocument([_wrong(read, (), "roots: must be a mapping of names to folders")])
    wrong = [
        _wrong(
            read,
            (name,),
            f"the root {name} must be a name of small letters with a folder behind it",
        )
        for name, folder in roots.items()
        if not (isinstance(name, str) and _NAME.match(name) and isinstance(folder, str))
    ]
    if wrong:
        raise InvalidDocument(wrong)
    return {name: _folder(read, name, folder) for name, folder in roots.items()}


def _folder(read: UserConfig, name: str, told: str) -> Path:
    """A root's folder. Raises InvalidDocument."""
    try:
        found = Path(told).expanduser()
    except RuntimeError as error:  # ~nobody
        message = f"the root {name} is {shortened(told)}, of a user that this machine does not know"
        raise InvalidDocument([_wrong(read, (name,), message)]) from error
    if "\0" in told:
        message = f"the root {name} is no path: it holds a NUL"
        raise InvalidDocument([_wrong(read, (name,), message)])
    return found


class UserRoots(Mapping[str, Path]):
    """The user's roots, read when a document first names one: most never do."""

    @cached_property
    def _read(self) -> dict[str, Path]:
        return read_roots()

    def __getitem__(self, name: str) -> Path:
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read)

    def __len__(self) -> int:
        return len(self._read)


def _wrong(read: UserConfig, keys: tuple[object, ...], message: str) -> Diagnostic:
    return read.wrong(("roots", *keys), message, "for example: roots: {sd: ~/models}")
