"""The files as they stand in a working tree, against what git's index knows of them; nothing is written."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from lorakit.files import open_regular
from lorakit.git import lfs
from lorakit.language.projects import FOLDER

if TYPE_CHECKING:
    from dulwich.ignore import IgnoreFilterManager
    from dulwich.index import IndexEntry
    from dulwich.repo import Repo

    from lorakit.git.trees import Entry, GitTree

_LEFT_OUT = (".git", FOLDER, "outputs")  # folders in which no documents are
_PIECE = 1 << 20


class WorkingTree:
    """The working tree of a repository; paths are relative to its top, with forward slashes."""

    def __init__(self, root: Path, repo: Repo) -> None:
        self.root = root
        self._repo = repo

    @cached_property
    def _index(self) -> dict[str, IndexEntry]:
        from dulwich.errors import NoIndexPresent
        from dulwich.index import IndexEntry

        try:
            entries = self._repo.open_index().items()
            return {os.fsdecode(path): e for path, e in entries if isinstance(e, IndexEntry)}
        except (NoIndexPresent, OSError, ValueError, AssertionError, KeyError):
            return {}

    @cached_property
    def _written(self) -> int:
        """When the index was written, in ns: what was touched since then may be other than it says."""
        try:
            return (Path(self._repo.controldir()) / "index").stat().st_mtime_ns
        except OSError:
            return 0

    @cached_property
    def _ignored(self) -> IgnoreFilterManager:
        from dulwich.ignore import IgnoreFilterManager

        return IgnoreFilterManager.from_repo(self._repo)

    def tracks(self, path: str) -> bool:
        """Whether git knows a file, or any below a folder."""
        return path in self._index or path in self._folders

    @cached_property
    def _folders(self) -> set[str]:
        found: set[str] = set()
        for path in self._index:
            while "/" in path:
                path = path.rpartition("/")[0]  # noqa: PLW2901
                if path in found:
                    break
                found.add(path)
        return found

    def ignores(self, path: str) -> bool:
        """Whether git is told to pass over a file or folder."""
        try:
            return bool(self._ignored.is_ignored(path))
        except (OSError, ValueError):
            return False

    def holds(self, path: str, sha: str) -> bool:
        """Whether a file is as it was when the index was written, and the index says it is this object.

        That includes files which a filter has put in the place of what git keeps, such as git-LFS's.
        """
        entry = self._index.get(path)
        if entry is None or entry.sha.decode() != sha:
            return False
        try:
            found = (self.root / path).lstat()
        except OSError:
            return False
        changed = _ns(entry.mtime)
        return (
            stat.S_ISREG(found.st_mode)
            and found.st_size == entry.size
            and found.st_mtime_ns == changed
            and changed < self._written
        )

    def differences(self, tree: GitTree) -> Iterator[str]:
        """The paths at which something else stands than in a revision; new files among them."""
        known = dict(tree.files())
        for path, entry in known.items():
            if entry.kind == "submodule":
                if self._commit_of(path) not in (entry.sha, ""):
                    yield path
            elif not self._same(path, entry):
                yield path
        yield from (path for path in self.files if path not in known)

    def _same(self, path: str, entry: Entry) -> bool:
        """Whether a file is a revision's, or what its git-LFS pointer stands for."""
        if self.holds(path, entry.sha) or self.sha(path) == entry.sha:
            return True
        try:
            found = lfs.pointer(entry.read())
        except KeyError:
            return False
        return found is not None and found.is_of(self.root / path)

    def _commit_of(self, path: str) -> str:
        """The commit that a submodule is at; empty where it is not checked out."""
        from dulwich.errors import NotGitRepository
        from dulwich.repo import Repo

        try:
            if (self.root / path / ".git").exists():
                with Repo(os.fspath(self.root / path)) as inner:
                    return inner.head().decode()
        except (NotGitRepository, OSError, KeyError, ValueError):
            pass
        return ""

    def sha(self, path: str) -> str | None:
        """The name of the object that git would keep a file as; None where there is no file."""
        import hashlib

        whole = self.root / path
        try:
            if whole.is_symlink():
                target = os.fsencode(os.readlink(whole))  # noqa: PTH115 - as it is written
                return hashlib.sha1(
                    b"blob %d\0" % len(target) + target, usedforsecurity=False
                ).hexdigest()
            with open_regular(whole) as file:
                size = os.fstat(file.fileno()).st_size
                digest = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
                while piece := file.read(_PIECE):
                    digest.update(piece)
            return digest.hexdigest()
        except (OSError, ValueError):
            return None

    @cached_property
    def files(self) -> tuple[str, ...]:
        """All files that are there and that git knows or is not told to ignore."""
        return tuple(self._walk(""))

    def _walk(self, folder: str) -> Iterator[str]:
        try:
            inside = sorted(os.scandir(self.root / folder), key=lambda one: one.name)
        except OSError:
            return
        for one in inside:
            path = f"{folder}/{one.name}" if folder else one.name
            if one.is_dir(follow_symlinks=False):
                nested = (self.root / path / ".git").exists()
                if one.name not in _LEFT_OUT and not nested and not self.ignores(f"{path}/"):
                    yield from self._walk(path)
            elif path in self._index or not self.ignores(path):
                yield path


def _ns(moment: float | tuple[int, int]) -> int:
    if isinstance(moment, tuple):
        return moment[0] * 1_000_000_000 + moment[1]
    return int(moment * 1_000_000_000)
