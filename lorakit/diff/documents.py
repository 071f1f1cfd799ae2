"""Which documents of two sides are compared, and which of one side is which of the other."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lorakit.diagnostics import InvalidDocument
from lorakit.diff.sides import named_files
from lorakit.git.errors import GitError

if TYPE_CHECKING:
    from pathlib import Path

    from lorakit.diff.sides import SideOf
    from lorakit.language import Loaded

_LIKE = 0.5  # share of lines that a renamed document keeps, as git counts it


@dataclass(slots=True)
class Read:
    """A side's documents, each loaded once; those that cannot be are kept with what is wrong."""

    side: SideOf
    kinds: Mapping[str, str]
    tell: Callable[[str], None] = lambda _: None
    _loaded: dict[str, Loaded | InvalidDocument | GitError] = field(default_factory=dict)

    @property
    def paths(self) -> Collection[str]:
        """Its documents, from the top of the repository."""
        return self.kinds.keys()

    def load(self, path: str) -> Loaded | InvalidDocument | GitError:
        """A document, or why there is none."""
        if path not in self._loaded:
            self.tell(f"{self.side.name}: {path}")
            try:
                self._loaded[path] = self.side.load(path)
            except (InvalidDocument, GitError) as error:
                self._loaded[path] = error
        return self._loaded[path]

    def files(self, path: str | None) -> set[str]:
        """A document and those that it leads to; itself alone where it cannot be read."""
        if path is None:
            return set()
        loaded = self.load(path)
        if isinstance(loaded, (InvalidDocument, GitError)):
            return {path}
        return {path} | self._inside(loaded.project.files)

    def uses(self, path: str | None) -> set[str]:
        """All that a document is made of: those files, and what it names beside them."""
        if path is None:
            return set()
        loaded = self.load(path)
        if isinstance(loaded, (InvalidDocument, GitError)):
            return {path}
        return self.files(path) | self._inside(named_files(loaded.project))

    def parts(self) -> set[str]:
        """The storyboards and bases of all recipes."""
        recipes = [path for path, kind in self.kinds.items() if kind == "recipe"]
        return {file for path in recipes for file in self.files(path) - {path}}

    def _inside(self, files: Iterable[Path]) -> set[str]:
        return {inside for one in files if (inside := self.side.inside(one)) is not None}


def touched(paths: Iterable[str], changed: Collection[str]) -> list[str]:
    """Those of some changed files that a document is made of: its files, and what is in its folders."""
    made_of = set(paths)
    return sorted(
        one for one in changed if one in made_of or any(parent in made_of for parent in _above(one))
    )


def _above(path: str) -> Iterable[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def pairs(before: Read, after: Read) -> dict[str, str | None]:
    """The older name of each newer document; None for one that is new."""
    found: dict[str, str | None] = {p: p if p in before.paths else None for p in after.paths}
    lost = [path for path in sorted(before.paths) if path not in after.paths]
    came = [path for path in sorted(after.paths) if path not in before.paths]
    if not lost or not came:
        return found
    old = {path: before.side.text(path) for path in lost}
    likeness = []
    for path in came:
        text = after.side.text(path)
        for other, then in old.items():
            share = 1.0 if then == text else _alike(then, text)
            if share >= _LIKE:
                likeness.append(
                    (share, path.rpartition("/")[2] == other.rpartition("/")[2], path, other)
                )
    taken: set[str] = set()
    for _, _, path, other in sorted(likeness, reverse=True):
        if found[path] is None and other not in taken:
            found[path] = other
            taken.add(other)
    return found


def _alike(one: bytes, two: bytes) -> float:
    """The share of lines that two texts have in common."""
    ours, theirs = Counter(one.splitlines()), Counter(two.splitlines())
    both = sum((ours & theirs).values())
    return 2 * both / max(1, sum(ours.values()) + sum(theirs.values()))


def chosen(
    before: Read, after: Read, older: Mapping[str, str | None], changed: Collection[str]
) -> tuple[list[tuple[str | None, str | None]], int]:
    """The documents that a change touches, by their names on both sides, and how many it does not.

    A storyboard that a recipe draws, and a recipe that others extend, are shown with those.
    """
    gone = set(before.paths) - set(older.values())
    both: list[tuple[str | None, str | None]] = [(older[p], p) for p in sorted(after.paths)]
    both += [(path, None) for path in sorted(gone)]
    parts = before.parts() | after.parts()
    hit, miss = [], 0
    for old, new in both:
        if (new or old) in parts:
            continue
        uses = before.uses(old) | after.uses(new)
        if touched(uses, changed) or (old is not None and new is not None and old != new):
            hit.append((old, new))
        else:
            miss += 1
    return hit, miss


def close_to(path: str, known: Iterable[str]) -> str:
    """The document that a wrong name is nearest to; empty where none is."""
    return next(iter(difflib.get_close_matches(path, sorted(known), n=1)), "")
