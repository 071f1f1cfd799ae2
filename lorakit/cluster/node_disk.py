"""The disk of a node: what its workers use, and what goes when there is too much of the rest.

tmp/<32 hexadecimal digits>/           a worker's own folder, which goes with it; of a dead one, with the next
tmp/<32 hexadecimal digits>/uses/      the digests of what it uses
used/                                  when each was last asked for
locks/blobs.lock                       held while a worker says what it uses, and while files are removed
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from lorakit.store import scratch
from lorakit.store.manifests import is_digest

_PATIENCE = 60.0  # s for another to say what it uses, or to remove
_PART = 10  # so much of what may lie there comes before it is looked at again


def _none_waits() -> None:
    """Nobody is told that another begins."""


class NodeDisk:
    """What one worker keeps on its node: `own` is its folder, `most` the bytes that all may leave there.

    Where the disk knows no locks nothing but its own folder is removed: nobody could say what others use.
    """

    def __init__(self, folder: Path, most: int) -> None:
        self.folder = folder
        self._most = most
        self._came = 0  # bytes, since it was last looked at
        self._used: set[str] = set()
        self._scratch: scratch.Scratch | None = None
        (folder / "locks").mkdir(parents=True, exist_ok=True)
        try:
            self._scratch = scratch.fresh(folder, {}, _none_waits)
            self.own = self._scratch.folder
        except (NotImplementedError, OSError):
            self.own = Path(tempfile.mkdtemp(prefix="run-", dir=folder))
        for part in (self.own / "uses", folder / "used", folder / "blobs"):
            part.mkdir(parents=True, exist_ok=True)
        self.clear()

    def blob(self, digest: str) -> Path:
        """Where a file of this digest is, if it is. Raises ValueError for what is no digest."""
        if not is_digest(digest):
            raise ValueError(f"{digest!r} is no digest")
        return self.folder / "blobs" / digest[:2] / digest[2:]

    def use(self, digests: Iterable[str]) -> None:
        """Say that these are used from now on until this worker ends, whether they are here or not."""
        new = set(digests) - self._used
        if not new:
            return
        with self._alone():
            for digest in filter(self.blob, new):
                (self.own / "uses" / digest).touch()
                (self.folder / "used" / digest).touch()
        self._used |= new

    def came(self, size: int) -> None:
        """So many bytes have come; now and then others have to make room for them."""
        self._came += size
        if self._came > self._most // _PART:
            self.clear()

    def clear(self) -> None:
        """Remove what no worker uses, what was used longest ago first, until no more is there than may be."""
        self._came = 0
        if self._scratch is None:
            return
        with contextlib.suppress(OSError), self._alone():  # a Timeout is one as well
            here = sorted(self._here(), key=lambda blob: blob[0])
            total = sum(size for _, size, _ in here)
            if total <= self._most:
                return
            uses = (*self.folder.glob("tmp/*/uses/*"), *self.folder.glob("run-*/uses/*"))
            held = {path.name for path in uses}
            for _, size, digest in here:
                if total <= self._most:
                    return
                if digest not in held:
                    self.blob(digest).unlink(missing_ok=True)
                    (self.folder / "used" / digest).unlink(missing_ok=True)
                    total -= size

    def _here(self) -> Iterator[tuple[float, int, str]]:
        """When a blob was last used, its bytes, its digest."""
        for path in self.folder.glob("blobs/*/*"):
            digest = path.parent.name + path.name
            with contextlib.suppress(FileNotFoundError):
                status = path.stat()
                used = status.st_mtime
                with contextlib.suppress(FileNotFoundError):
                    used = (self.folder / "used" / digest).stat().st_mtime
                yield used, status.st_size, digest

    def _alone(self) -> AbstractContextManager[object]:
        if self._scratch is None:
            return nullcontext()
        from filelock import FileLock

        return FileLock(self.folder / "locks" / "blobs.lock", timeout=_PATIENCE)

    def close(self) -> None:
        """The worker has ended: its own folder goes, and what is too much without it."""
        if self._scratch is None:
            shutil.rmtree(self.own, ignore_errors=True)
            return
        self._scratch.close()
        self.clear()
