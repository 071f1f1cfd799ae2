"""The two sides of a comparison: a revision, or the files as they are. Both load and plan documents alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from lorakit.diagnostics import Diagnostic, InvalidDocument
from lorakit.facts.facts import Facts
from lorakit.facts.files.roots import UserRoots
from lorakit.facts.gather import StandIn, gather
from lorakit.facts.machine.environment import environment
from lorakit.facts.pictures.own_pictures import files_named
from lorakit.files import YAML_ENDINGS
from lorakit.git.errors import GitError
from lorakit.git.reader import RevisionReader
from lorakit.git.snapshot import Snapshot
from lorakit.kinds import kind_of
from lorakit.language import FolderReader, Loaded, document_kind, load_with_trees, locks
from lorakit.language.recipe.project import Project
from lorakit.plan import estimate, planner
from lorakit.plan.expand import expand
from lorakit.plan.selection import EVERYTHING
from lorakit.records import record
from lorakit.store.manifests import Manifest, Output
from lorakit.store.store import Store

if TYPE_CHECKING:
    from lorakit.git.repository import Repository, Revision
    from lorakit.git.trees import GitTree
    from lorakit.language import Reader
    from lorakit.plan.states import Estimate, Planned


class Kept:
    """A store that both sides look into, each manifest and object once."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._manifests: dict[str, Manifest | None] = {}
        self._whole: dict[Output, bool] = {}

    def manifest(self, key: str) -> Manifest | None:
        """The manifest for a key."""
        if key not in self._manifests:
            self._manifests[key] = self.store.manifest(key)
        return self._manifests[key]

    def text(self, output: Output) -> str:
        """What a small object says."""
        return self.store.text(output)

    def has(self, output: Output) -> bool:
        """Whether an object is there."""
        if output not in self._whole:
            self._whole[output] = self.store.has(output)
        return self._whole[output]


@record
class PlannedSide:
    """A document's actions with their states, and the facts they were found by."""

    actions: tuple[Planned, ...]
    facts: Facts

    def estimate(self) -> Estimate:
        """What making all that is missing would cost."""
        return estimate.estimate(self.actions, self.facts)


class SideOf(Protocol):
    """Where documents are loaded from; their paths count from the top of the repository."""

    name: str

    def documents(self) -> Iterator[tuple[str, str]]:
        """The YAML files that are recipes or storyboards, and which of both."""

    def has(self, path: str) -> bool:
        """Whether a file is there."""

    def text(self, path: str) -> bytes:
        """The bytes of a file; none where it cannot be read."""

    def load(self, path: str) -> Loaded:
        """A document with its trees. Raises InvalidDocument, GitError."""

    def inside(self, path: Path) -> str | None:
        """A path from the top of the repository; None for one that leads out."""

    def plan(self, project: Project, view: Kept) -> PlannedSide:
        """What a run would make. Raises InvalidDocument, GitError."""

    def changes(self, older: GitTree) -> Iterator[str]:
        """The paths at which something else stands than in an older revision."""

    @property
    def notes(self) -> Iterable[str]:
        """What a user should know of what was planned."""


class RevisionSide:
    """A revision, with the files that are opened laid into `folder`."""

    def __init__(self, repository: Repository, revision: Revision, folder: Path) -> None:
        self.name = revision.name
        self.snapshot = Snapshot(repository, revision, folder)
        self._reader = RevisionReader(self.snapshot)

    def documents(self) -> Iterator[tuple[str, str]]:
        """The YAML files that are recipes or storyboards, and which of both."""
        for path, entry in self.snapshot.tree.files():
            if entry.kind == "file" and path.endswith(YAML_ENDINGS):
                kind = document_kind(self.snapshot.folder / path, self._reader)
                if kind is not None:
                    yield path, kind

    def has(self, path: str) -> bool:
        """Whether a file is there."""
        entry = self.snapshot.entry(path)
        return entry is not None and entry.kind == "file"

    def text(self, path: str) -> bytes:
        """The bytes of a file; none where it cannot be read."""
        try:
            return self.snapshot.read(path)
        except (OSError, GitError):
            return b""

    def load(self, path: str) -> Loaded:
        """A document with its trees. Raises InvalidDocument, GitError."""
        whole = self.snapshot.folder / path
        loaded = _loaded(whole, self._reader)
        project = loaded.project
        home = self.inside(project.home)
        if home is not None:
            project = replace(project, home=self.snapshot.top / home)
        return loaded._replace(project=project)

    def inside(self, path: Path) -> str | None:
        """A path from the top of the repository; None for one that leads out."""
        return self._reader.inside(path)

    def plan(self, project: Project, view: Kept) -> PlannedSide:
        """What a run would make. Raises InvalidDocument, GitError."""
        for path in named_files(project):
            inside = self.inside(path)
            if inside is not None:
                self.snapshot.lay(inside)
        stand_in = StandIn(self.snapshot.folder, (self.snapshot.top, self.snapshot.common))
        return _planned(project, gather(project, stand_in=stand_in), view)

    def changes(self, older: GitTree) -> Iterator[str]:
        """The paths at which something else stands than in an older revision."""
        return older.differences(self.snapshot.tree)

    @property
    def notes(self) -> Iterable[str]:
        """What is not in git and taken as it is now, what is not here."""
        return self.snapshot.notes


class WorkingSide:
    """The files as they are."""

    name = "the working tree"

    def __init__(self, repository: Repository) -> None:
        assert repository.working_tree is not None
        self.tree = repository.working_tree
        self._reader: Reader = FolderReader()

    def documents(self) -> Iterator[tuple[str, str]]:
        """The YAML files that are recipes or storyboards, and which of both."""
        for path in self.tree.files:
            if path.endswith(YAML_ENDINGS):
                kind = document_kind(self.tree.root / path)
                if kind is not None:
                    yield path, kind

    def has(self, path: str) -> bool:
        """Whether a file is there."""
        return (self.tree.root / path).is_file()

    def text(self, path: str) -> bytes:
        """The bytes of a file; none where it cannot be read."""
        try:
            return self._reader.read_bytes(self.tree.root / path)
        except OSError:
            return b""

    def load(self, path: str) -> Loaded:
        """A document with its trees. Raises InvalidDocument."""
        return _loaded(self.tree.root / path, self._reader)

    def inside(self, path: Path) -> str | None:
        """A path from the top of the repository; None for one that leads out."""
        if not path.is_relative_to(self.tree.root):
            return None
        return path.relative_to(self.tree.root).as_posix()

    def plan(self, project: Project, view: Kept) -> PlannedSide:
        """What a run would make. Raises InvalidDocument."""
        return _planned(project, gather(project), view)

    def changes(self, older: GitTree) -> Iterator[str]:
        """The paths at which something else stands than in a revision."""
        return self.tree.differences(older)

    @property
    def notes(self) -> Iterable[str]:
        """None: all is as it is."""
        return ()


def _loaded(path: Path, reader: Reader) -> Loaded:
    """A document with the commits that its project's lock names."""
    loaded = load_with_trees(path, reader=reader, roots=UserRoots())
    lock = locks.read(loaded.project.root, reader)
    return loaded._replace(project=locks.pinned(loaded.project, lock))


def _planned(project: Project, facts: Facts, view: Kept) -> PlannedSide:
    """What a plan finds, without what it says beside."""
    found = expand(project, facts, kind_of)
    actions = planner.resolve(found.actions, view, {}, EVERYTHING, environment())
    return PlannedSide(actions, facts)


def named_files(project: Project) -> Iterator[Path]:
    """Files and folders that a recipe names beside its documents: adapters, models, data; its lock."""
    recipe = project.recipe
    of_hub = [locks.of_hub(one) for one in recipe.models.values()]
    of_hub += [locks.of_hub(one) for one in recipe.datasets.values()]
    if any(of_hub):
        yield project.root / locks.FILE
    yield from files_named(project)
    yield from (adapter.path for adapter in recipe.adapters.values())
    sources = [model.source for model in recipe.models.values()]
    sources += [one for data in recipe.datasets.values() for one in (data.texts, data.images)]
    yield from (Path(one) for one in sources if one and Path(one).is_absolute())


def problems_of(error: InvalidDocument | GitError) -> tuple[Diagnostic, ...]:
    """What is wrong with a side, as findings."""
    if isinstance(error, InvalidDocument):
        return error.errors
    return (Diagnostic("git", error.message, hints=(error.hint,) if error.hint else ()),)
