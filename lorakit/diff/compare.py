"""Two states of a project: which documents differ, in what, and what a run would make of it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lorakit.diagnostics import InvalidDocument
from lorakit.diff import documents
from lorakit.diff.actions import Lineage, compared, of_one_side
from lorakit.diff.decisions import changed_decisions
from lorakit.diff.documents import Read
from lorakit.diff.report import ActionChange, Comparison, DocumentDiff, Relation, Side, ValueChange
from lorakit.diff.sides import Kept, RevisionSide, SideOf, WorkingSide, problems_of
from lorakit.diff.values import changed_values
from lorakit.git.errors import GitError
from lorakit.language import FolderReader
from lorakit.language.projects import home_of_folder
from lorakit.language.uncollected import uncollected
from lorakit.plan import estimate
from lorakit.plan.states import State
from lorakit.records import record
from lorakit.store.store import Store

if TYPE_CHECKING:
    from lorakit.diff.sides import PlannedSide
    from lorakit.git.repository import Repository, Revision
    from lorakit.language import Loaded
    from lorakit.plan.states import Estimate


@record
class _Planned:
    """A side of one document, as far as it could be read."""

    side: Side
    loaded: Loaded | None = None
    planned: PlannedSide | None = None


@contextmanager
def comparison(
    repository: Repository,
    before: Revision,
    after: Revision | None,
    asked: Sequence[Path] = (),
    tell: Callable[[str], None] = lambda _: None,
) -> Iterator[Comparison]:
    """Compare a revision with another, or with the working tree where there is none.

    `asked` are documents or folders; by default all are compared that a change touches. `tell` hears what is
    looked at, and nothing once all has been. What is yielded may name files of the store; nothing else
    outlives the block. Raises GitError.
    """
    with ExitStack() as stack:

        def folder() -> Path:
            made = tempfile.TemporaryDirectory(prefix="lorakit-diff-", ignore_cleanup_errors=True)
            return Path(stack.enter_context(made)).resolve()

        old = RevisionSide(repository, before, folder())
        new: SideOf = (
            WorkingSide(repository) if after is None else RevisionSide(repository, after, folder())
        )
        try:
            with uncollected():
                found = _Comparing(repository, old, new, tell).compare(asked)
        finally:
            tell("")
        yield found


class _Comparing:
    def __init__(
        self, repository: Repository, old: RevisionSide, new: SideOf, tell: Callable[[str], None]
    ) -> None:
        self._repository = repository
        self._old, self._new = old, new
        self._before = Read(old, dict(old.documents()), tell)
        self._after = Read(new, dict(new.documents()), tell)
        self._views: dict[Path, Kept] = {}
        self._seconds = 0.0
        self._count = 0
        self._measured = True
        self._made: set[str] = set()

    def compare(self, asked: Sequence[Path]) -> Comparison:
        changed = frozenset(self._new.changes(self._old.snapshot.tree))
        older = documents.pairs(self._before, self._after)
        pairs, untouched = self._pairs(asked, older, changed)
        found = tuple(
            self._document(old, new, changed, last=number == len(pairs))
            for number, (old, new) in enumerate(pairs, 1)
        )
        for view in self._views.values():
            view.store.remember()
        return Comparison(
            self._old.name,
            self._new.name,
            found,
            untouched,
            self._count,
            self._seconds,
            self._measured,
            tuple(dict.fromkeys((*self._old.notes, *self._new.notes))),
        )

    def _pairs(
        self, asked: Sequence[Path], older: dict[str, str | None], changed: frozenset[str]
    ) -> tuple[list[tuple[str | None, str | None]], int]:
        if not asked:
            return documents.chosen(self._before, self._after, older, changed)
        folders: list[str] = []
        found: dict[str, tuple[str | None, str | None]] = {}
        for path in asked:
            inside = self._inside(path)
            if self._is_folder(inside):
                folders.append(inside)
                continue
            newer = next((n for n, o in older.items() if o == inside), None)
            if inside in older:
                found[inside] = (older[inside], inside)
            elif newer is not None or inside in self._before.paths:
                found[inside] = (inside, newer)
            else:
                raise self._no_document(path, inside)
        every, untouched = (
            documents.chosen(self._before, self._after, older, changed) if folders else ([], 0)
        )
        for old, new in every:
            made_of = self._before.uses(old) | self._after.uses(new)
            if any(not one or documents.touched({one}, made_of) for one in folders):
                found.setdefault(new or old or "", (old, new))
        return list(found.values()), untouched

    def _inside(self, path: Path) -> str:
        inside = self._old.inside(path)
        if inside is None:
            top = self._repository.root or path
            raise GitError(
                f"{path} is outside the repository {top}",
                "name a document that is in it, or cd there",
            )
        return inside

    def _is_folder(self, inside: str) -> bool:
        top = self._repository.root
        entry = self._old.snapshot.entry(inside)
        return (entry is not None and entry.kind == "folder") or (
            top is not None and (top / inside).is_dir()
        )

    def _no_document(self, path: Path, inside: str) -> GitError:
        if self._old.has(inside) or self._new.has(inside):
            return GitError(f"{path} is neither a recipe nor a storyboard")
        close = documents.close_to(inside, {*self._before.paths, *self._after.paths})
        return GitError(
            f"there is no {path} in {self._old.name} or {self._new.name}",
            f"did you mean {close}?" if close else "",
        )

    def _document(
        self, old: str | None, new: str | None, changed: frozenset[str], *, last: bool
    ) -> DocumentDiff:
        before, after = self._side(self._before, old), self._side(self._after, new)
        values: tuple[ValueChange, ...] = ()
        if before.loaded is not None and after.loaded is not None:
            values = _values(before.loaded, after.loaded)
        read = self._before.files(old) | self._after.files(new)
        named = self._before.uses(old) | self._after.uses(new)
        loaded = after.loaded or before.loaded
        found = DocumentDiff(
            new or old or "",
            before.side,
            after.side,
            values,
            tuple(f for f in documents.touched(named, changed) if f not in read),
            _actions(before, after),
            store=self._view(loaded.project.home).store if loaded is not None else None,
        )
        if after.planned is None:
            return found
        cost = after.planned.estimate()
        self._count_once(after.planned, cost, last=last)
        return replace(
            found,
            seconds=cost.seconds,
            change_seconds=_change_alone(found.actions, after.planned),
            measured=cost.measured,
        )

    def _side(self, read: Read, path: str | None) -> _Planned:
        name = read.side.name
        if path is None:
            return _Planned(Side(name, "", there=False))
        loaded = read.load(path)
        if isinstance(loaded, (InvalidDocument, GitError)):
            return _Planned(Side(name, path, problems=problems_of(loaded)))
        read.tell(f"{name}: what {path} makes")
        try:
            planned = read.side.plan(loaded.project, self._view(loaded.project.home))
        except (InvalidDocument, GitError) as error:
            return _Planned(Side(name, path, problems=problems_of(error)), loaded)
        side = Side(name, path, planned=True, actions=planned.actions)
        return _Planned(side, loaded, planned)

    def _view(self, home: Path) -> Kept:
        """The store of a project; of one without a working tree that of the working directory."""
        if self._repository.root is None:
            home = home_of_folder(FolderReader())
        if home not in self._views:
            self._views[home] = Kept(Store(home))
        return self._views[home]

    def _count_once(self, planned: PlannedSide, cost: Estimate, *, last: bool) -> None:
        """Add what running a document makes to the sums; what one before it makes is there by then."""
        todo = [p for p in planned.actions if p.state.to_make]
        if self._made or not last:
            lineage = Lineage(planned.actions)
            todo = [p for p in todo if lineage.of(p.action.id) not in self._made]
            self._made |= {lineage.of(p.action.id) for p in todo}
            cost = estimate.estimate(todo, planned.facts)
        self._count += len(todo)
        self._seconds += cost.seconds
        self._measured = self._measured and cost.measured


def _change_alone(actions: Sequence[ActionChange], side: PlannedSide) -> float:
    """Seconds for what is drawn again or new, whatever the store has of it."""
    changed = (Relation.AGAIN, Relation.NEW)
    todo = [
        replace(one.planned, state=State.CHANGED)
        for one in actions
        if one.relation in changed and one.planned is not None
    ]
    return estimate.estimate(todo, side.facts).seconds


def _values(before: Loaded, after: Loaded) -> tuple[ValueChange, ...]:
    """What differs in a recipe, and in the storyboards that its steps draw on both sides."""
    found = list(changed_values(before.root, after.root))
    done = set()
    ours, theirs = before.project.recipe.steps, after.project.recipe.steps
    for name, step in theirs.items():
        old, new = getattr(ours.get(name), "board", None), getattr(step, "board", None)
        if old is None or new is None or (old.path, new.path) in done:
            continue
        done.add((old.path, new.path))
        one, two = before.boards[old.path], after.boards[new.path]
        if one.source is not before.root.source or two.source is not after.root.source:
            found += changed_values(one, two)
        found += changed_decisions(old.decisions, new.decisions)
    return tuple(found)


def _actions(before: _Planned, after: _Planned) -> tuple[ActionChange, ...]:
    if before.planned is not None and after.planned is not None:
        return compared(before.planned.actions, after.planned.actions)
    if after.planned is not None and not before.side.there:
        return tuple(of_one_side(after.planned.actions, Relation.NEW))
    if before.planned is not None and not after.side.there:
        return tuple(of_one_side(before.planned.actions, Relation.GONE))
    return ()
