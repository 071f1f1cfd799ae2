"""One recipe, from its path to a plan and a run: what the commands and Python programs share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lorakit.diagnostics import InvalidDocument, LorakitError
from lorakit.language import FolderReader, locks, merged
from lorakit.language import load as load_documents
from lorakit.language.recipe.project import Project
from lorakit.records import record
from lorakit.session.planning import Planning

if TYPE_CHECKING:
    from lorakit.diagnostics import Diagnostic
    from lorakit.execute.events import Event, RunFinished
    from lorakit.execute.pool import Workers
    from lorakit.facts.facts import Facts
    from lorakit.facts.machine.nodes import Nodes
    from lorakit.language.yaml.nodes import Node
    from lorakit.language.yaml.reader import Reader
    from lorakit.pages.shown_plan import ShownPlan
    from lorakit.plan.expand import Expanded
    from lorakit.plan.selection import Selection
    from lorakit.plan.states import Plan


def _ignore(_: Event) -> None:
    """Where nobody listens."""


@record
class Session:
    """A loaded project.

    `lorakit.load("recipe.yaml").run()` is what `lorakit run recipe.yaml` does.
    """

    project: Project
    lock: locks.Lock = field(default_factory=locks.Lock, repr=False)
    # as the documents have it, without the commits of the lock
    written: Project | None = field(default=None, repr=False)
    settings: tuple[str, ...] = ()
    profile: str | None = None
    nodes: Nodes | None = field(
        default=None, repr=False
    )  # what it is planned for, if not for this machine

    def check_lock(self) -> None:
        """Raises InvalidDocument where the recipe stands on something that its lock does not name so."""
        from lorakit.session.locking import check_lock

        check_lock(self._as_written, self.lock)

    def lock_sources(self, *, move: bool = False, fetch: bool = True) -> locks.Lock:
        """Write the pins that the lock lacks, or `move` all of them to what the hub has now; gives the lock.

        With `fetch` what is not here yet is downloaded first. Raises InvalidDocument, LorakitError.
        """
        from lorakit.session.locking import lock_sources

        return lock_sources(self._as_written, self.project, self.lock, move=move, fetch=fetch)

    def lock_missing(self) -> None:
        """Pin what stands on the hub and is not pinned yet; without such sources no lock is begun."""
        recipe = self._as_written.recipe
        models, data = recipe.models.values(), recipe.datasets.values()
        if not (any(map(locks.of_hub, models)) or any(map(locks.of_hub, data))):
            return
        from lorakit.facts.pins import missing

        if missing(self._as_written, self.lock):
            self.lock_sources(fetch=False)

    @property
    def _as_written(self) -> Project:
        return self.written or self.project

    @property
    def _planning(self) -> Planning:
        return Planning(self.project, self.nodes)

    def facts(self, *, download: bool = False, keys: bool = True, verify: bool = False) -> Facts:
        """What planning needs to know of the world, in full or to check by. Raises InvalidDocument."""
        return self._planning.facts(download=download, keys=keys, verify=verify)

    def check(self) -> tuple[Diagnostic, ...]:
        """Everything that can be found without making anything: the warnings; errors are raised."""
        return self.expanded().warnings

    def expanded(self, facts: Facts | None = None) -> Expanded:
        """All actions, with neither keys nor states; `facts` where they are known. Raises InvalidDocument."""
        return self._planning.expanded(facts)

    def plan(
        self,
        selection: Selection | None = None,
        *,
        download: bool = False,
        verify: bool = False,
        cards: Sequence[int] | None = None,
        remote: bool = True,
    ) -> ShownPlan:
        """What a run would make, and why. Raises InvalidDocument.

        With `verify` every file and all that the store holds is read again; what is damaged is removed.
        `cards` are memories in GB of GPUs to plan for as well; () for the usual ones, where that is of use.
        Unless it is not to be `remote`, what the team's cache offers is looked at, where there is one.
        """
        from lorakit.remote.looking import looked_at
        from lorakit.store.store import Store

        cache = looked_at(self.project.root, Store(self.project.home)) if remote else None
        planning = self._planning
        return planning.plan(cache, selection, download=download, verify=verify, cards=cards)

    def fetched(
        self,
        plan: Plan,
        selection: Selection | None = None,
        *,
        progress: Callable[[int, int], None] = lambda _, __: None,
        stop: Callable[[], bool] = lambda: False,
        copy: bool = False,
    ) -> ShownPlan:
        """The plan once all is here that it takes from the team's cache; what did not come is to be made.

        Nothing is fetched where a run folder holds all of it, unless a `copy` is asked for. `progress` is
        told the bytes that have come and those that are to come. Raises LorakitError.
        """
        return self._planning.fetched(plan, selection, progress, stop, copy=copy)

    def __repr__(self) -> str:
        recipe = self.project.recipe
        return f"<Session {recipe.name!r}: {', '.join(recipe.steps)}; .plan() and .run()>"

    def _repr_html_(self) -> str:
        """The plan as a table in a notebook, or what is wrong with the document."""
        from lorakit.pages.shown_plan import problems

        try:
            return self.plan()._repr_html_()
        except LorakitError as error:
            return problems(error)

    def run(
        self,
        selection: Selection | None = None,
        *,
        keep_going: bool = False,
        copy: bool = False,
        stop: Callable[[], bool] = lambda: False,
        listener: Callable[[Event], None] = _ignore,
        plan: Plan | None = None,
        workers: Workers | None = None,
        progress: bool | None = None,
    ) -> RunFinished:
        """Make what is missing, in a new run folder. Raises InvalidDocument, LorakitError.

        Where nothing is missing, the folder of an earlier run that holds everything does, unless a new `copy`
        is asked for.
        Runs that are handed the same `workers` find the model loaded; they stay until it is closed.
        Where those are on other machines, the plan is made for these.
        `progress` prints how far it is, line by line; by default in a notebook only.
        """
        from lorakit.execute import nothing_new
        from lorakit.pages.shown_run import ShownRun
        from lorakit.plan.selection import Selection
        from lorakit.store.store import Store
        from lorakit.ui.plain import told

        if workers is not None and workers.places.plans_for() != self.nodes:
            there = replace(self, nodes=workers.places.plans_for())
            return there.run(
                selection,
                keep_going=keep_going,
                copy=copy,
                stop=stop,
                listener=listener,
                workers=workers,
                progress=progress,
            )
        root = self.project.home
        if (
            not str(root).isprintable()
            and str(root) != str(root).encode("utf-8", "replace").decode()
        ):
            raise LorakitError(
                f"the path {root} is no UTF-8, and libraries open no file below it: rename the folder"
            )
        chosen = selection or Selection()
        settled = self.fetched(
            plan or self.plan(chosen, download=True), chosen, stop=stop, copy=copy
        )
        store = Store(root)
        store.refuse_links()
        whole = None if copy else nothing_new.folder_with_all(settled, root)
        with told(settled, listener, progress=progress) as hear:
            if whole is not None:
                return ShownRun.of(nothing_new.tell(settled, root, whole, hear))
            from lorakit.session.making import Making

            making = Making(self.project, self.settings, self.profile, chosen)
            made = making.run(
                settled, store, hear, stop=stop, keep_going=keep_going, workers=workers
            )
            return ShownRun.of(made)


def load(
    path: str | Path,
    *,
    settings: Sequence[str] = (),
    profile: str | None = None,
    reader: Reader | None = None,
) -> Session:
    """Read a recipe, or a storyboard alone. Raises InvalidDocument with every error of every file.

    `reader` is asked for the documents where they are not to be read from the disk as ever.
    """
    with _near(path) as roots:
        written = load_documents(
            Path(path), settings=settings, profile=profile, reader=reader, roots=roots
        )
        lock = locks.read(written.root)
        return Session(locks.pinned(written, lock), lock, written, tuple(settings), profile)


def load_tree(
    path: str | Path, *, settings: Sequence[str] = (), profile: str | None = None
) -> Node:
    """The merged document as nodes that know where they stand. Raises InvalidDocument as `load` does."""
    with _near(path) as roots:
        return merged(Path(path), settings=settings, profile=profile, roots=roots)


@contextmanager
def _near(path: str | Path) -> Iterator[Mapping[str, Path]]:
    """The user's roots to load by; a document that is not there is answered with those that are."""
    from lorakit.facts.files.roots import UserRoots

    try:
        yield UserRoots()
    except InvalidDocument as error:
        (first, *rest) = error.diagnostics
        if first.code != "unreadable" or FolderReader().exists(Path(path)):
            raise
        from lorakit.facts.files.nearby import hints_for

        raise InvalidDocument([replace(first, hints=hints_for(Path(path))), *rest]) from None
