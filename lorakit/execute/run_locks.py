"""The kernel locks of a run: one for each kind of worker, which all its workers of that kind share.

So no two runs of a project do the same work at once: the second finds in the store what the first one made.
The lock is the run's, and each worker holds one of its own besides: where a run was killed, what it started
may still be at its last step.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from filelock import FileLock


class RunLocks:
    """The locks that a run holds in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[str, FileLock] = {}

    def hold(self, kind: str) -> bool:
        """Take the lock of a kind of worker, unless another run has it. Raises OSError."""
        from filelock import FileLock, Timeout

        if kind in self._held:
            return True
        self._folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._folder / f"{kind}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return False
        self._held[kind] = lock
        return True

    def release(self, kind: str) -> None:
        """Give a lock back, if it is held."""
        if kind in self._held:
            self._held.pop(kind).release()

    def own(self, kind: str, home: int) -> Path:
        """The lock that one worker of a kind holds while it works for a run."""
        return self._folder / f"{kind}-{home + 1}.lock"

    def close(self) -> None:
        """Give all back."""
        for kind in list(self._held):
            self.release(kind)
