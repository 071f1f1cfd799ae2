"""Digests of files, remembered by path for as long as a file is untouched."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lorakit.files import open_regular
from lorakit.store.canonical import digest_of
from lorakit.store.seen import Memory, digest_and_identity, identity
from lorakit.store.sources import Sources

UNREAD = "unread"  # what stands for a digest that nobody asked for


class Digests:
    """SHA-256 of files; `cache` is a JSON file that makes the next look-up cheap, or None.

    What is below `passing` will not be there for long: it is not remembered.
    """

    def __init__(
        self, cache: Path | None, *, anew: bool = False, passing: Path | None = None
    ) -> None:
        self._memory = Memory(cache)
        self._passing = passing
        self.sources = Sources()
        if anew:
            self._memory.forget()

    def file(self, path: Path) -> str:
        """The digest of one file. Raises OSError where it cannot be read, also while it changes."""
        real = path.resolve()
        name, found = str(real), identity(path.stat())
        digest = self._memory.get(name, found)
        if digest is None:
            digest, found = digest_and_identity(path)
            if self._passing is None or not real.is_relative_to(self._passing):
                self._memory.set(name, found, digest)
        self.sources.files[str(path)] = digest, found
        return digest

    def knows(self, path: Path) -> bool:
        """Whether the digest of a file is remembered. Raises OSError."""
        return self._memory.get(str(path.resolve()), identity(path.stat())) is not None

    def files(self, folder: Path, names: Iterable[str]) -> str:
        """One digest for several files of a folder: their names and contents, whatever the order."""
        digests = {name: self.file(folder / name) for name in names}
        self.sources.add_folder(str(folder), [str(folder / name) for name in digests])
        return digest_of(digests)

    def save(self) -> None:
        """Keep what was learnt; a folder that cannot be written costs time only."""
        self._memory.save()


class Unread(Digests):
    """Stand-ins for who needs no keys: says only whether files can be opened, and reads none."""

    def __init__(self) -> None:
        super().__init__(None)

    def file(self, path: Path) -> str:
        """No digest. Raises OSError where the file cannot be read."""
        with open_regular(path):
            return UNREAD
