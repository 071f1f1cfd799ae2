"""Files of the user that decide a key: what they were when it was made, and whether they are that still.

A plan reads digests; a worker reads the files minutes later. What it then reads must be what the key says,
or a result would be kept under the key of other data.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lorakit.diagnostics import LorakitError
from lorakit.store.canonical import digest_of
from lorakit.store.seen import Identity, digest_and_identity, identity

# a path, its digest, and its identity when that was read; of a folder, whose path ends in a slash, the
# digest of the names in it: a library would take what was put there since the plan was made
Read = tuple[str, str, Sequence[int]]
# what libraries look for beside the files that they are told of
_LOOKED_FOR = (
    ".json",
    ".jsonl",
    ".txt",
    ".safetensors",
    ".model",
    ".jinja",
    ".csv",
    ".tsv",
    ".parquet",
)
_BESIDE = "adapter_config.json"  # settings that belong to the weights beside them


class SourceChanged(LorakitError):
    """A file is not what it was when the plan was made."""

    def __init__(self, path: str) -> None:
        super().__init__(
            f"{path} has changed since the plan was made: nothing was kept of it; run again"
        )


@dataclass(slots=True)
class Sources:
    """Every file whose digest was asked for, and which of them make up a folder that is named as one."""

    files: dict[str, tuple[str, Identity]] = field(default_factory=dict)
    folders: dict[str, set[str]] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)

    def add_folder(self, folder: str, paths: Iterable[str]) -> None:
        """Files of a folder that are read when it is named."""
        own = self.folders.setdefault(folder, set())
        for path in self.files.keys() & set(paths):
            own.add(path)
            parent = os.path.dirname(path)  # noqa: PTH120 - of many files
            if parent not in self._names:
                self._names[parent] = names_in(parent)

    def named_in(self, *values: object) -> list[Read]:
        """What a worker will read that is told these values (JSON): the files and folders they name."""
        paths: dict[str, None] = {}
        folders: dict[str, None] = {}
        for text in texts_in(values):
            if text in self.files:
                paths[text] = None
                beside = str(Path(text).with_name(_BESIDE))
                if beside in self.files:
                    paths[beside] = None
            for path in sorted(self.folders.get(text, ())):
                paths[path] = None
                folders[os.path.dirname(path)] = None  # noqa: PTH120
        found: list[Read] = [(path + os.sep, self._names[path], []) for path in folders]
        return found + [(path, self.files[path][0], list(self.files[path][1])) for path in paths]


def names_in(folder: str) -> str:
    """The digest of those names in a folder that libraries look for by themselves. Raises OSError."""
    with os.scandir(folder) as entries:
        return digest_of(sorted(e.name for e in entries if e.name.lower().endswith(_LOOKED_FOR)))


def texts_in(value: object) -> Iterator[str]:
    """Every text in JSON data that is no key."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from texts_in(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from texts_in(inner)


class SourceReading:
    """A time of reading files in a worker: `begin` before it, `end` after it."""

    def __init__(self, reads: Sequence[Read]) -> None:
        self._reads = reads
        self._seen: dict[str, Identity] = {}

    def begin(self) -> None:
        """Raise SourceChanged where a file holds something else than its digest says."""
        for path, digest, known in self._reads:
            if path.endswith(os.sep):
                self._check_names(path, digest)
                continue
            try:
                seen = identity(Path(path).stat())
                if seen != tuple(known):
                    now, seen = digest_and_identity(Path(path))
                    if now != digest:
                        raise SourceChanged(path)
            except OSError as error:
                raise SourceChanged(path) from error
            self._seen[path] = seen

    def end(self) -> None:
        """Raise SourceChanged where a file was touched since `begin`, or one was put beside it."""
        for path, digest, _ in self._reads:
            if path.endswith(os.sep):
                self._check_names(path, digest)
        for path, seen in self._seen.items():
            try:
                touched = identity(Path(path).stat()) != seen
            except OSError as error:
                raise SourceChanged(path) from error
            if touched:
                raise SourceChanged(path)

    def _check_names(self, folder: str, digest: str) -> None:
        try:
            changed = names_in(folder) != digest
        except OSError as error:
            raise SourceChanged(folder) from error
        if changed:
            raise SourceChanged(folder)
