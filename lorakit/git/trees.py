"""The files of one revision, as git's trees have them: folders, links, submodules."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Literal

from lorakit.records import record

if TYPE_CHECKING:
    from dulwich.object_store import BaseObjectStore
    from dulwich.objects import ShaFile

Kind = Literal["file", "folder", "link", "submodule"]
_KINDS: dict[int, Kind] = {0o040000: "folder", 0o120000: "link", 0o160000: "submodule"}
_MOST_LINKS = 40


def object_of(objects: BaseObjectStore, sha: str) -> ShaFile:
    """An object by its name in hex. Raises KeyError where a clone lacks it."""
    from dulwich.objects import ObjectID

    return objects[ObjectID(sha.encode())]


@record
class Entry:
    """What stands at a path: its object's name in hex, and the objects that it is among."""

    kind: Kind
    sha: str
    objects: BaseObjectStore

    def read(self) -> bytes:
        """The bytes of a file, or where a link leads. Raises KeyError where a clone lacks them."""
        return bytes(object_of(self.objects, self.sha).as_raw_string())


class GitTree:
    """The tree of one commit; paths are relative to its top, with forward slashes.

    `submodule` is asked for the tree of a submodule's commit, by path and name; None where it is not here.
    """

    def __init__(
        self,
        objects: BaseObjectStore,
        tree: str | None,
        submodule: Callable[[str, str], GitTree | None] = lambda _path, _sha: None,
    ) -> None:
        self._submodule = submodule
        self._folders: dict[str, dict[str, Entry]] = {}
        self._top = Entry("folder", tree or "", objects)
        self.absent: dict[str, None] = {}  # submodules that were asked for and are not here

    def find(self, path: str) -> Entry | None:
        """What stands at a path; links are not followed. Raises KeyError where a clone lacks objects."""
        if path in ("", "."):
            return self._top
        folder, _, name = path.rpartition("/")
        return self._listed(folder).get(name)

    def follow(self, path: str) -> str | None:
        """Where a path leads once its links are followed; None where that is outside or nowhere."""
        done: list[str] = []
        todo = [part for part in path.split("/") if part not in ("", ".")][::-1]
        links = 0
        while todo:
            part = todo.pop()
            if part == "..":
                if not done:
                    return None
                done.pop()
                continue
            here = "/".join([*done, part])
            entry = self.find(here)
            if entry is None or entry.kind != "link":
                done.append(part)
                continue
            links += 1
            target = os.fsdecode(entry.read())
            if links > _MOST_LINKS or posixpath.isabs(target):
                return None
            todo += [one for one in target.split("/") if one not in ("", ".")][::-1]
        return "/".join(done)

    def names(self, folder: str) -> tuple[str, ...]:
        """What stands in a folder, sorted."""
        return tuple(sorted(self._listed(folder)))

    def files(self, folder: str = "") -> Iterator[tuple[str, Entry]]:
        """All that is no folder below one, in no order; a submodule is one entry."""
        for name, entry in self._listed(folder).items():
            path = f"{folder}/{name}" if folder else name
            if entry.kind == "folder":
                yield from self.files(path)
            else:
                yield path, entry

    def differences(self, other: GitTree, folder: str = "") -> Iterator[str]:
        """The paths below a folder at which another revision of the repository has something else."""
        here, there = self._listed(folder), other._listed(folder)
        for name in here.keys() | there.keys():
            one, two = here.get(name), there.get(name)
            path = f"{folder}/{name}" if folder else name
            if one is not None and two is not None and (one.kind, one.sha) == (two.kind, two.sha):
                continue
            if one is not None and two is not None and one.kind == two.kind == "folder":
                yield from self.differences(other, path)
                continue
            kinds = [entry.kind for entry in (one, two) if entry is not None]
            found = dict.fromkeys([path] * any(kind != "folder" for kind in kinds))
            for tree, entry in ((self, one), (other, two)):
                if entry is not None and entry.kind == "folder":
                    found |= dict.fromkeys(inside for inside, _ in tree.files(path))
            yield from found

    def _listed(self, folder: str) -> dict[str, Entry]:
        if folder not in self._folders:
            entry = self.find(folder)
            found: dict[str, Entry] = {}
            if entry is not None and entry.kind == "folder" and entry.sha:
                found = _entries(entry)
            elif entry is not None and entry.kind == "submodule":
                inner = self._submodule(folder, entry.sha)
                if inner is None:
                    self.absent[folder] = None
                else:
                    found = inner._listed("")  # noqa: SLF001 - one of our own
            self._folders[folder] = found
        return self._folders[folder]


def _entries(folder: Entry) -> dict[str, Entry]:
    """What stands in a folder, but for names that no file can have and a checkout would refuse."""
    from dulwich.objects import Tree

    tree = object_of(folder.objects, folder.sha)
    if not isinstance(tree, Tree):
        return {}
    found = {}
    for item in tree.iteritems():
        name = os.fsdecode(item.path)
        if name in ("", ".", "..") or name.casefold() == ".git" or set(name) & {"/", "\\", "\0"}:
            continue
        kind = _KINDS.get(item.mode & 0o170000, "file")
        found[name] = Entry(kind, item.sha.decode(), folder.objects)
    return found
