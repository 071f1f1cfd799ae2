"""The user's named folders: `roots:` in config.yaml of the user's config folder.

    roots: {sd: ~/models, art: /data/art}

A document may then say `sd:x.safetensors` for a file outside its project.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

from lorakit.diagnostics import Diagnostic, InvalidDocument, Place, shortened
from lorakit.files import anywhere, read_text

_MOST = 1_000_000  # bytes
_NAME = re.compile(r"[a-z][a-z0-9_]+\Z")


def config_path() -> Path:
    """Where the user's config is; it need not exist."""
    import platformdirs

    return platformdirs.user_config_path("lorakit", appauthor=False) / "config.yaml"


def read_roots(config: Path | None = None) -> dict[str, Path]:
    """Read the named roots of a config file, the user's by default; none if there is no such file.

    Raises InvalidDocument where the file is there and cannot be understood.
    """
    path = config or config_path()
    if not path.is_file():
        return {}
    import yaml

    try:
        with anywhere():
            text = read_text(path, _MOST)
        loaded = yaml.safe_load(text)
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        mark = getattr(error, "problem_mark", None)
        place = Place(str(path), mark.line + 1, mark.column + 1) if mark else None
        message = f"your config {path} cannot be read"
        raise InvalidDocument([Diagnostic("bad-config", message, place)]) from error
    roots = (loaded or {}).get("roots") if isinstance(loaded or {}, dict) else loaded
    if roots is None:
        return {}
    if not isinstance(roots, dict):
        raise InvalidDocument([_wrong(path, "roots: must be a mapping of names to folders")])
    wrong = [
        _wrong(path, f"the root {name} must be a name of small letters with a folder behind it")
        for name, folder in roots.items()
        if not (isinstance(name, str) and _NAME.match(name) and isinstance(folder, str))
    ]
    if wrong:
        raise InvalidDocument(wrong)
    return {name: _folder(path, name, folder) for name, folder in roots.items()}


def _folder(config: Path, name: str, told: str) -> Path:
    """A root's folder. Raises InvalidDocument."""
    try:
        found = Path(told).expanduser()
    except RuntimeError as error:  # ~nobody
        message = f"the root {name} is {shortened(told)}, of a user that this machine does not know"
        raise InvalidDocument([_wrong(config, message)]) from error
    if "\0" in told:
        raise InvalidDocument([_wrong(config, f"the root {name} is no path: it holds a NUL")])
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


def _wrong(path: Path, message: str) -> Diagnostic:
    return Diagnostic(
        "bad-config", f"{path}: {message}", hints=("for example: roots: {sd: ~/models}",)
    )
