"""A repository and its revisions: found from a folder, named as git names them."""

from __future__ import annotations

import difflib
import os
import re
import warnings
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from lorakit.diagnostics import shortened
from lorakit.git import guard
from lorakit.git.errors import GitError
from lorakit.git.trees import GitTree, object_of
from lorakit.git.working_tree import WorkingTree
from lorakit.records import record

if TYPE_CHECKING:
    from types import TracebackType

    from dulwich.objects import Commit, ObjectID
    from dulwich.repo import Repo

HEAD = "HEAD"
_STEPS = re.compile(r"(?P<base>.*?)(?P<steps>(?:~\d*|\^\d*|\^\{(?:commit)?\})*)\Z", re.DOTALL)
_STEP = re.compile(r"\^\{(?:commit)?\}|([~^])(\d*)")
_MOST_STEPS = 1_000_000


@record
class Revision:
    """A commit by its hash and its tree's, and as it was called; no `tree` is before the first commit."""

    name: str
    sha: str = ""
    tree: str = ""

    def __str__(self) -> str:
        return self.name


class Repository:
    """One repository. `root` is its working tree, None where it has none."""

    def __init__(self, repo: Repo) -> None:
        self.repo = repo
        self.root = None if repo.bare else Path(repo.path).resolve()
        self._submodules: list[Repository] = []

    @classmethod
    def around(cls, folder: Path) -> Repository:
        """The repository that a folder is in. Raises GitError."""
        from dulwich.errors import NotGitRepository
        from dulwich.repo import Repo, UnsupportedExtension, UnsupportedVersion

        guard.open_files_only()
        try:
            for place in (folder, *folder.parents):
                if (place / ".git").exists() or _is_bare(place):
                    return cls(Repo(os.fspath(place)))
        except (UnsupportedExtension, UnsupportedVersion) as error:
            raise GitError(
                f"the repository of {folder} is in a form that is not read: {error}"
            ) from error
        except (NotGitRepository, OSError, ValueError, KeyError) as error:
            raise GitError(
                f"the repository of {folder} cannot be read: {error}", "git status says more of it"
            ) from error
        except Exception as error:
            told = guard.as_git_error(error, error.__traceback__)
            if told is None:
                raise
            raise told from error
        raise GitError(
            f"{folder} is in no git repository, so there is nothing to compare with",
            "git init && git add . && git commit makes one; lorakit plan says what is to be made without",
        )

    def close(self) -> None:
        """Let go of its files, and those of its submodules."""
        for inner in self._submodules:
            inner.close()
        self.repo.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self.close()
        told = guard.as_git_error(error, where) if error is not None else None
        if told is not None:
            raise told from error

    @cached_property
    def shallow(self) -> bool:
        """Whether commits are missing at its far end."""
        return bool(self.repo.get_shallow())

    @cached_property
    def refs(self) -> tuple[str, ...]:
        """Branches, tags and remote branches, as they are called."""
        starts = ("refs/heads/", "refs/tags/", "refs/remotes/")
        names = map(os.fsdecode, self.repo.refs.allkeys())
        return tuple(
            sorted(n.removeprefix(start) for n in names for start in starts if n.startswith(start))
        )

    @cached_property
    def working_tree(self) -> WorkingTree | None:
        """Its files as they stand, read once for all who ask; None where it has none."""
        return WorkingTree(self.root, self.repo) if self.root is not None else None

    def _unborn(self, name: str) -> bool:
        """Whether this is HEAD before the first commit."""
        if name not in (HEAD, "@"):
            return False
        try:
            self.repo.head()
        except KeyError:
            return True
        return False

    def is_revision(self, name: str) -> bool:
        """Whether a word names a commit here."""
        try:
            self.revision(name)
        except GitError:
            return False
        return True

    def revision(self, name: str) -> Revision:
        """The commit that a word names: a branch, a tag, a hash, HEAD~2, main^. Raises GitError."""
        if self._unborn(name):
            return Revision(HEAD)
        found = _STEPS.match(name)
        assert found is not None
        commit = self._commit(found["base"] or HEAD, name)
        for sign, count in _STEP.findall(found["steps"]):
            if sign:
                commit = self._parent(commit, sign, int(count or 1), name)
        return Revision(name, commit.id.decode(), commit.tree.decode())

    def merge_base(self, one: Revision, other: Revision) -> Revision:
        """Where two revisions parted. Raises GitError."""
        from dulwich.graph import find_merge_base

        try:
            found = find_merge_base(self.repo, [_id(one), _id(other)])
        except KeyError:
            found = []
        if not found:
            raise GitError(
                f"{one} and {other} have no commit in common{self._cut()}", self._deepen()
            )
        commit = self._object(found[0], one.name)
        return Revision(commit.id.decode()[:10], commit.id.decode(), commit.tree.decode())

    def tree(self, revision: Revision) -> GitTree:
        """The files of a revision."""
        return GitTree(self.repo.object_store, revision.tree or None, self._submodule)

    def _commit(self, base: str, name: str) -> Commit:
        word = os.fsencode("HEAD" if base == "@" else base)
        with warnings.catch_warnings():
            # dulwich warns of names that no branch can have, which are told below as not being there
            warnings.simplefilter("ignore", DeprecationWarning)
            return self._parsed(word, base, name)

    def _parsed(self, word: bytes, base: str, name: str) -> Commit:
        from dulwich.objects import Commit
        from dulwich.objectspec import AmbiguousShortId, parse_commit, parse_object

        try:
            if b"@{" in word:
                branch, _, which = word.partition(b"@{")
                if b"refs/heads/" + branch in self.repo.refs.allkeys():
                    word = b"refs/heads/" + branch + b"@{" + which
                found = parse_object(self.repo, word)
                if isinstance(found, Commit):
                    return found
            return parse_commit(self.repo, word)
        except AmbiguousShortId as error:
            raise GitError(
                f"several commits begin with {base}", "write more of its letters"
            ) from error
        except (KeyError, ValueError, AssertionError, OSError) as error:
            # names are looked for as files; an object that is there and cannot be read is another matter
            told = guard.as_git_error(error, error.__traceback__)
            of_object = f"{os.sep}objects{os.sep}" in str(getattr(error, "filename", None) or "")
            raise (told if told and of_object else self._unknown(name, base)) from error

    def _parent(self, commit: Commit, sign: str, count: int, name: str) -> Commit:
        if sign == "^":
            if count == 0:
                return commit
            if count > len(commit.parents):
                raise self._no_parent(name, commit)
            return self._object(commit.parents[count - 1], name)
        for _ in range(min(count, _MOST_STEPS)):
            if not commit.parents:
                raise self._no_parent(name, commit)
            commit = self._object(commit.parents[0], name)
        return commit

    def _object(self, sha: bytes, name: str) -> Commit:
        from dulwich.objects import Commit

        try:
            found = object_of(self.repo.object_store, sha.decode())
        except KeyError as error:
            raise GitError(
                f"{shortened(name)} is not in this clone{self._cut()}", self._deepen()
            ) from error
        assert isinstance(found, Commit)
        return found

    def _no_parent(self, name: str, commit: Commit) -> GitError:
        short = commit.id.decode()[:10]
        many = (
            f"{short} has {len(commit.parents)} parents"
            if commit.parents
            else f"{short} is the first"
        )
        if not commit.parents and commit.id in self.repo.get_shallow():
            return GitError(f"{shortened(name)} is not in this clone{self._cut()}", self._deepen())
        return GitError(f"there is no revision {shortened(name)}: {many}")

    def _unknown(self, name: str, base: str) -> GitError:
        close = difflib.get_close_matches(base, self.refs, n=1, cutoff=0.6)
        hint = f"did you mean {close[0]}?" if close else ""
        if not hint and self.shallow and re.fullmatch("[0-9a-f]{4,40}", base):
            return GitError(f"{shortened(name)} is not in this clone{self._cut()}", self._deepen())
        if not hint and self.refs:
            more = " …" if len(self.refs) > 8 else ""
            hint = f"there are: {', '.join(self.refs[:8])}{more}"
        return GitError(f"there is no revision {shortened(name)}", hint)

    def _cut(self) -> str:
        return ", which is shallow" if self.shallow else ""

    def _deepen(self) -> str:
        return "git fetch --unshallow brings the rest" if self.shallow else ""

    def _submodule(self, path: str, sha: str) -> GitTree | None:
        """The tree of a submodule's commit, from where it is checked out."""
        from dulwich.errors import NotGitRepository
        from dulwich.objects import Commit
        from dulwich.repo import Repo

        if self.root is None or not (self.root / path / ".git").exists():
            return None
        try:
            inner = Repository(Repo(os.fspath(self.root / path)))
            self._submodules.append(inner)
            commit = object_of(inner.repo.object_store, sha)
        except (NotGitRepository, OSError, ValueError, KeyError):
            return None
        if not isinstance(commit, Commit):
            return None
        return inner.tree(Revision("", sha, commit.tree.decode()))


def _id(revision: Revision) -> ObjectID:
    from dulwich.objects import ObjectID

    return ObjectID(revision.sha.encode())


def _is_bare(folder: Path) -> bool:
    return all((folder / name).exists() for name in ("HEAD", "objects", "refs"))


def ranged(words: str) -> tuple[str, str | None, bool]:
    """A range as two names: A, A..B or A...B; None is the working tree, true asks for the merge base."""
    for dots in ("...", ".."):
        first, found, last = words.partition(dots)
        if found:
            return first or HEAD, last or HEAD, dots == "..."
    return words, None, False
