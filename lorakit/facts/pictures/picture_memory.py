"""What pictures are, once they were decoded to their end: remembered by content, so that it is done once."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lorakit.facts.data.data_sets import DataError, complain
from lorakit.facts.files.digests import UNREAD
from lorakit.facts.machine.this_machine import this_machine
from lorakit.facts.pictures.open_picture import Header, PictureError, header, quietly
from lorakit.files import same_roots
from lorakit.store import sealed

_SHOWN = 4  # pictures that an error names


class PictureMemory:
    """Headers by digest; `file` is where they are kept, None for nowhere, and then nothing is decoded."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._known: dict[str, Header] = {}
        self._new = False
        if file is not None:
            told = sealed.read(file)
            try:
                self._known = {
                    str(key): Header((int(w), int(h)), bool(clear), bool(converted), bool(several))
                    for key, (w, h, clear, converted, several) in (told or {}).items()  # type: ignore[attr-defined]
                }
            except (ValueError, TypeError, AttributeError):
                self._known = {}

    def headers(
        self, pictures: Sequence[tuple[Path, str, str]], told: list[DataError] | None = None
    ) -> list[Header | None]:
        """What each (file, digest, name) is, None for what cannot be read.

        Raises DataError with all of that, or puts it among what is `told`.
        """
        wrong: list[str] = []

        def look(one: tuple[Path, str, str]) -> Header | None:
            file, digest, name = one
            if digest != UNREAD and digest in self._known:
                return self._known[digest]
            try:
                return header(file, name, whole=self._file is not None)
            except PictureError as error:
                wrong.append(str(error))
                return None

        with quietly(), ThreadPoolExecutor(this_machine().cores, initializer=same_roots()) as pool:
            found = list(pool.map(look, pictures))
        if wrong:
            complain(unreadable(sorted(wrong)), told)
        for (_, digest, _), one in zip(pictures, found, strict=True):
            if one is not None and self._file is not None and digest not in self._known:
                self._known[digest], self._new = one, True
        return found

    def save(self) -> None:
        """Keep what was learnt; a folder that cannot be written costs time only."""
        if self._new and self._file is not None and self._file.parent.is_dir():
            told = {k: [*h.size, h.clear, h.converted, h.several] for k, h in self._known.items()}
            try:
                sealed.write(self._file, told)
            except OSError:
                return


def unreadable(wrong: Sequence[str]) -> DataError:
    """What is wrong with a data set of whose pictures so much cannot be read."""
    more = f"; and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
    return DataError(
        "data",
        "images",
        f"{'; '.join(wrong[:_SHOWN])}{more}",
        "put a whole picture there, or remove it"
        if len(wrong) == 1
        else "put whole pictures there, or remove them",
    )
