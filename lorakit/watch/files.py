"""Which files a document leads to, and when one of them was saved."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from pathlib import Path

from lorakit.facts.files.folders import left_behind
from lorakit.language import FolderReader
from lorakit.language.projects import MARKS
from lorakit.records import record
from lorakit.store.seen import Identity, identity

_QUIET, _MOST_WAIT = 60, 400  # ms without a change until a save counts as over; at most so long
_LOOK = 2000  # ms between two looks where no change is told, as on disks of a network


def now(path: Path) -> Identity | None:
    """What a file is now; None where there is none."""
    try:
        return identity(path.stat())
    except (OSError, ValueError):
        return None


class NotingReader(FolderReader):
    """The ordinary file system; `asked` are the files that were looked for, as they were then."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: dict[Path, Identity | None] = {}

    def _note(self, path: Path) -> None:
        whole = path.absolute()
        if whole.name not in MARKS:  # asked for in every folder upwards
            self.asked.setdefault(whole, now(whole))

    def read_bytes(self, path: Path) -> bytes:
        """The bytes of a file; raises OSError where it cannot be read."""
        self._note(path)
        return super().read_bytes(path)

    def exists(self, path: Path) -> bool:
        """Whether there is a file or folder at `path`."""
        self._note(path)
        return super().exists(path)

    def is_file(self, path: Path) -> bool:
        """Whether there is a file at `path`."""
        self._note(path)
        return super().is_file(path)


@record
class Watched:
    """Files as they were when they were read (None: not there), and folders of which every file counts."""

    files: Mapping[Path, Identity | None] = field(default_factory=dict)
    folders: frozenset[Path] = frozenset()

    def joined(self, other: Watched) -> Watched:
        """Both; where both have a file, as the other saw it."""
        return Watched({**self.files, **other.files}, self.folders | other.folders)

    def again(self) -> Watched:
        """The same files as they are now."""
        return Watched({path: now(path) for path in self.files}, self.folders)

    @property
    def changed(self) -> bool:
        """Whether a file is not what it was."""
        return any(now(path) != seen for path, seen in self.files.items())

    def touched(self, paths: Iterable[str]) -> bool:
        """Whether any of these paths is in one of the folders, and is data of somebody's."""
        return any(
            path.is_relative_to(folder)
            and not any(map(left_behind, path.relative_to(folder).parts))
            for path in map(Path, paths)
            for folder in self.folders
        )

    @property
    def places(self) -> frozenset[Path]:
        """The folders in which something may happen to them.

        Editors save by renaming a new file into place, so that it is folders that tell of it.
        """
        found = {path.parent for path in self.files}
        # a link, and what it leads to
        found |= {path.resolve().parent for path in self.files if path.is_symlink()}
        for folder in self.folders:
            found |= {folder, *(path for path in folder.rglob("*") if path.is_dir())}
        return frozenset(path for path in found if path.is_dir())


class Follower:
    """Looks after files in a thread of its own, and says when one was saved."""

    def __init__(self, saved: Callable[[], None]) -> None:
        self._saved = saved
        self._watched = Watched()
        self._places: frozenset[Path] = frozenset()
        self._over = False
        self._again = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch files", daemon=True)
        self._thread.start()

    def follow(self, watched: Watched) -> None:
        """From now on look after these, and say at once if one has changed since it was read."""
        places = watched.places
        self._watched = watched
        if places != self._places:
            self._places = places
            self._again.set()
        if watched.changed:
            self._saved()

    def close(self) -> None:
        """Look no more."""
        self._over = True
        self._again.set()
        self._thread.join(5)

    def _run(self) -> None:
        while not self._over:
            self._again.clear()
            places = self._places
            if not places:
                self._again.wait()
                continue
            try:
                self._look_in(places)
            except (
                OSError,
                RuntimeError,
            ):  # a folder that went, or more than the system will watch
                self._again.wait(_LOOK / 4000)
                self._tell(())

    def _look_in(self, places: frozenset[Path]) -> None:
        from watchfiles import watch

        batches = watch(
            *places,
            watch_filter=None,
            debounce=_MOST_WAIT,
            step=_QUIET,
            rust_timeout=_LOOK,
            yield_on_timeout=True,
            stop_event=self._again,
            raise_interrupt=False,
            recursive=False,
        )
        for batch in batches:
            self._tell(path for _, path in batch)

    def _tell(self, paths: Iterable[str]) -> None:
        watched = self._watched
        if watched.changed or watched.touched(paths):
            self._saved()
