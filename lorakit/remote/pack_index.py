"""All packs of a team's cache as one index: manifests, unread, by key.

Packs never change, so that those which were read once are kept in a folder of the project's store.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from pathlib import Path

from lorakit.files import read_regular
from lorakit.remote import packs
from lorakit.remote.cache_files import LIST, PACKS, CacheFiles
from lorakit.remote.pace import Beside, said
from lorakit.remote.packs import BadPack, PackEntry
from lorakit.store import atomic

_MOST_LIST = 10_000_000  # bytes
_MOST_INDEX = 1_000_000_000  # bytes of packs that are read


class PackIndex:
    """The packs of a cache, kept in the folder `kept` where there is one; what is wrong with them is told.

    `names` are the packs that it has, the oldest first, `unread` those that did not come, and may be whole.
    """

    def __init__(self, files: CacheFiles, kept: Path | None, tell: Callable[[str], None]) -> None:
        self._files, self._kept, self._tell = files, kept, tell
        self.names: list[str] = []
        self.unread: set[str] = set()
        self.entries: dict[str, PackEntry] = {}

    def read(self) -> None:
        """Fetch the packs that are not kept here, and read all. Raises OSError, LorakitError, GaveUp."""
        self.names = self._files.one(self._listed)
        budget = _MOST_INDEX
        texts: dict[str, bytes] = {}
        for name in self.names:
            with contextlib.suppress(OSError):
                if self._kept is not None:
                    texts[name] = read_regular(self._kept / name, packs.MOST)
        missing = [name for name in self.names if name not in texts]
        fetch = self._files.small
        work = [lambda name=name: fetch(f"{PACKS}/{name}", packs.MOST) for name in missing]
        for number, result in Beside(work, self._files.pulse).results():
            name = missing[number]
            if isinstance(result, bytes):
                texts[name] = result
            elif not isinstance(result, FileNotFoundError):  # merged into another meanwhile
                self.unread.add(name)
                self._tell(f"a pack of manifests did not come: {said(result)}")
        for name in sorted(texts)[::-1]:  # the newest first
            budget -= len(texts[name])
            if budget < 0:
                self.unread.add(name)
                self._tell("it has more manifests than are read: lorakit cache gc")
                break
            self._take(name, texts[name], fresh=name in missing)
        self._forget_others(texts)

    def _listed(self) -> list[str]:
        if self._files.address.readable_only:
            names = self._files.small(LIST, _MOST_LIST).decode("ascii", "replace").split()
        else:
            names = self._files.transport().names(PACKS)
        return sorted(name for name in set(names) if packs.NAME.match(name))

    def _take(self, name: str, packed: bytes, *, fresh: bool) -> None:
        try:
            found = packs.read(name, packed)
        except BadPack as error:
            if not fresh and self._kept is not None:  # the copy that is kept here
                (self._kept / name).unlink(missing_ok=True)
            self._tell(str(error))
            return
        for key, one in found.items():
            before = self.entries.get(key)
            if before is None or before.written < one.written:
                self.entries[key] = one
        if fresh and self._kept is not None and self._kept.parent.is_dir():
            with contextlib.suppress(OSError):
                atomic.write_bytes(self._kept / name, packed, durable=False)

    def _forget_others(self, read: Iterable[str]) -> None:
        """Keep copies of no pack but those that were read."""
        if self._kept is None or not self._kept.is_dir():
            return
        with contextlib.suppress(OSError):
            for path in self._kept.iterdir():
                if path.name not in read and packs.NAME.match(path.name):
                    path.unlink()
