"""A revision as a folder: nothing is in it but what has been asked for.

Documents are read from git's objects. Data, adapters and models are opened by libraries, by their paths: they
are laid into a private folder first, as links to the working tree where that holds the same bytes.
"""

from __future__ import annotations

import errno
from pathlib import Path
from typing import TYPE_CHECKING

from lorakit.files import YAML_ENDINGS
from lorakit.git import lfs
from lorakit.git.errors import GitError

if TYPE_CHECKING:
    from lorakit.git.repository import Repository, Revision
    from lorakit.git.trees import Entry

_BESIDE = (".json", *YAML_ENDINGS)  # settings that stand beside weights


class Snapshot:
    """One revision below `folder`, which stands for the top of the repository.

    `notes` are lines that a user should know: what is not in git and taken as it is now, what is not here.
    """

    def __init__(self, repository: Repository, revision: Revision, folder: Path) -> None:
        self.revision = revision
        self.folder = folder.resolve()
        self.top = repository.root or Path(repository.repo.path).resolve()
        self.tree = repository.tree(revision)
        self.notes: dict[str, None] = {}
        self.common = Path(repository.repo.commondir())
        self._working = repository.working_tree
        self._laid: set[str] = set()

    def entry(self, path: str) -> Entry | None:
        """What stands at a path, its links followed. Raises GitError where this clone lacks it."""
        try:
            real = self.tree.follow(path)
            return None if real is None else self.tree.find(real)
        except KeyError as error:
            raise GitError(
                f"{self.revision}:{path} is not in this clone: its objects were never fetched",
                "git fetch --refetch brings them",
            ) from error

    def read(self, path: str) -> bytes:
        """The bytes of a file. Raises OSError, GitError."""
        entry = self.entry(path)
        if entry is None:
            raise FileNotFoundError(errno.ENOENT, self._nowhere(path), path)
        if entry.kind != "file":
            raise IsADirectoryError(errno.EISDIR, "is a directory", path)
        try:
            return entry.read()
        except KeyError as error:
            raise OSError(
                errno.EIO, "it is not in this clone: git fetch --refetch", path
            ) from error

    def _nowhere(self, path: str) -> str:
        name = self._absent(path)
        if name:
            return f"it is in the submodule {name}, which is not here: git submodule update --init {name}"
        return f"no such file in {self.revision}"

    def _absent(self, path: str) -> str:
        """The submodule that a path is in, where that is not here; empty for any other path."""
        return next((name for name in self.tree.absent if path.startswith(f"{name}/")), "")

    def borrowed(self, path: str) -> Path | None:
        """What stands at a path that git knows nothing of, as it is now: weights are seldom in git."""
        if self._working is None or path.endswith(YAML_ENDINGS) or self._working.tracks(path):
            return None
        found = self._working.root / path
        return found if found.exists() else None

    def lay(self, path: str) -> None:
        """Make a file, with the settings beside it, or all of a folder open by its path below `folder`."""
        entry = self.entry(path)
        if entry is None:
            found = self.borrowed(path)
            if found is not None:
                self._borrow(path, found)
            elif name := self._absent(path):
                self.notes[f"{path} is in the submodule {name}, which is not here"] = None
        elif entry.kind == "file":
            self._lay_file(path, entry)
            home = path.rpartition("/")[0]
            for name in self.tree.names(home):
                if name.endswith(_BESIDE):
                    beside = f"{home}/{name}" if home else name
                    found_beside = self.entry(beside)
                    if found_beside is not None and found_beside.kind == "file":
                        self._lay_file(beside, found_beside)
        else:
            self._lay_folder(path)

    def _lay_folder(self, path: str, depth: int = 0) -> None:
        (self.folder / path).mkdir(parents=True, exist_ok=True)
        real = self.tree.follow(path) or path
        for name in self.tree.names(real):
            inside = f"{path}/{name}"
            entry = self.entry(f"{real}/{name}")
            if entry is None:
                continue  # a link to nothing, or out of the repository
            if entry.kind == "file":
                self._lay_file(inside, entry)
            elif depth < 50:  # a link may lead to a folder above itself
                self._lay_folder(inside, depth + 1)
        self._borrow_ignored(path)

    def _borrow_ignored(self, path: str) -> None:
        """What git is told to pass over in a folder that it knows: weights beside their settings."""
        if self._working is None or not (self._working.root / path).is_dir():
            return
        for found in sorted((self._working.root / path).iterdir()):
            inside = f"{path}/{found.name}"
            if not self._working.tracks(inside) and self._working.ignores(inside):
                self._borrow(inside, found)

    def _borrow(self, path: str, found: Path) -> None:
        self._link(path, found)
        self.notes[f"{path} is not in git: it is taken as it is now"] = None

    def _lay_file(self, path: str, entry: Entry) -> None:
        if path in self._laid:
            return
        self._laid.add(path)
        held = None
        if self._working is not None and self._working.holds(path, entry.sha):
            held = self._working.root / path
        data = b"" if held is not None and held.stat().st_size > lfs.MOST else entry.read()
        known = self._pointed(path, data) or held
        if known is not None:
            self._link(path, known)
            return
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)

    def _pointed(self, path: str, data: bytes) -> Path | None:
        """The file that a git-LFS pointer stands for; None for no pointer, or where that is not here."""
        found = lfs.pointer(data)
        if found is None:
            return None
        kept = found.kept_in(self.common)
        if kept.is_file():
            return kept
        if self._working is not None and found.is_of(self._working.root / path):
            return self._working.root / path
        self.notes[
            f"{path} is a git-LFS pointer in {self.revision}, and the {found.size:,} bytes that it stands "
            "for are not here: git lfs fetch"
        ] = None
        return None

    def _link(self, path: str, real: Path) -> None:
        target = self.folder / path
        if target.exists() or target.is_symlink():
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            target.symlink_to(real, target_is_directory=real.is_dir())
        except OSError:  # a system on which not everybody may
            _copy(real, target)


def _copy(real: Path, target: Path) -> None:
    import shutil

    if real.is_dir():
        shutil.copytree(real, target, dirs_exist_ok=True)
    else:
        shutil.copyfile(real, target)
