"""Folders for unfinished files. A kernel lock beside each says whether its run is alive.

tmp/<32 hexadecimal digits>/          what a run has not finished, and `run.json`: which run it is
tmp/<32 hexadecimal digits>.lock      held as long as the run lives
locks/sweep.lock                      held while a run makes its folder, and while the store is cleared
"""

from __future__ import annotations

import contextlib
import re
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from lorakit.files import read_mapping
from lorakit.store import atomic

_NAME = re.compile(r"([0-9a-f]{32})(\.lock)?\Z")
_RUN = "run.json"
_MOST = 100_000_000  # bytes of what a run tells of itself
_MOMENT = 10.0  # s


class Scratch:
    """A folder for unfinished files that lives as long as its run, which tells of itself in it."""

    def __init__(self, folder: Path, told: Mapping[str, object]) -> None:
        from filelock import FileLock

        self.folder = folder
        # whoever ends it may be another thread than the one that began it
        self._lock = FileLock(folder.with_suffix(".lock"), thread_local=False)
        # who asks which runs are alive may hold it for a moment
        self._lock.acquire(timeout=_MOMENT)
        folder.mkdir(parents=True)
        if told:
            atomic.write_json(folder / _RUN, told, durable=False, indent=None)

    def close(self) -> None:
        """Remove the folder and let go of it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.release()
        self.folder.with_suffix(".lock").unlink(missing_ok=True)


def fresh(store: Path, told: Mapping[str, object], wait: Callable[[], None]) -> Scratch:
    """A new scratch folder of a store; those of dead runs go. `wait` is called where the store is cleared.

    Raises OSError.
    """
    from filelock import FileLock, Timeout

    folder = store / "tmp"
    sweep = FileLock(_sweep(store))
    try:
        sweep.acquire(timeout=0)
    except Timeout:
        wait()
        sweep.acquire()
    try:
        clear(store)
        return Scratch(folder / uuid.uuid4().hex, told)
    finally:
        sweep.release()


def clear(store: Path) -> None:
    """Remove what dead runs have left; only who holds the store against others may."""
    for lock in _locks(store / "tmp"):
        with contextlib.suppress(OSError), _claimed(lock) as dead:
            folder = lock.with_suffix("")
            if dead:
                shutil.rmtree(folder, ignore_errors=True)
            if dead and not folder.exists():  # a worker that outlives its run may still write there
                lock.unlink(missing_ok=True)


def left_behind(store: Path) -> list[Path]:
    """The scratch folders of dead runs."""
    found = []
    for lock in _locks(store / "tmp"):
        with contextlib.suppress(OSError), _claimed(lock) as dead:
            if dead and lock.with_suffix("").is_dir():
                found.append(lock.with_suffix(""))
    return found


def living(store: Path) -> list[dict[str, Any]]:
    """What the runs that are going on in a store tell of themselves; {} of one that tells nothing."""
    found = []
    for lock in filter(Path.exists, _locks(store / "tmp")):
        try:
            with _claimed(lock) as dead:
                alive = not dead
        except OSError:
            continue  # nobody could have begun a run here
        if alive:
            found.append(read_mapping(lock.with_suffix("") / _RUN, _MOST))
    return found


def swept(store: Path) -> AbstractContextManager[bool]:
    """While this lasts, no run begins; False where another clears the store already. Raises OSError."""
    return _claimed(_sweep(store))


def _sweep(store: Path) -> Path:
    return store / "locks" / "sweep.lock"


def _locks(folder: Path) -> list[Path]:
    """The lock of each scratch folder, also of one whose lock is gone: its run had ended."""
    names = {found[1] for path in folder.glob("*") if (found := _NAME.match(path.name))}
    return [folder / f"{name}.lock" for name in sorted(names)]


@contextlib.contextmanager
def _claimed(lock: Path) -> Iterator[bool]:
    """Whether a lock was free, as a dead run's is, and if so, holding it. Raises OSError."""
    from filelock import FileLock, Timeout

    claim = FileLock(lock)
    try:
        claim.acquire(timeout=0)
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        claim.release()
