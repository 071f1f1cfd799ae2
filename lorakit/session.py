"""One recipe, from its path to a plan and a run: what the commands and Python programs share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lorakit.diagnostics import InvalidDocument, LorakitError
from lorakit.language import FolderReader, locks, merged
from lorakit.language import load as load_documents
from lorakit.language.recipe.project import Project
from lorakit.language.uncollected import uncollected

if TYPE_CHECKING:
    from lorakit.diagnostics import Diagnostic
    from lorakit.execute.events import Event, RunFinished
    from lorakit.execute.pool import Workers
    from lorakit.facts.facts import Facts
    from lorakit.facts.files.digests import Digests
    from lorakit.language.yaml.nodes import Node
    from lorakit.language.yaml.reader import Reader
    from lorakit.pages.shown_plan import ShownPlan
    from lorakit.plan.expand import Expanded
    from lorakit.plan.planner import Selection
    from lorakit.plan.states import Plan


def _ignore(_: Event) -> None:
    """Where nobody listens."""


@dataclass(frozen=True, slots=True)
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

    def check_lock(self) -> None:
        """Raises InvalidDocument where the recipe stands on something that its lock does not name so."""
        from lorakit.facts.pins import differences

        found = list(differences(self.written or self.project, self.lock, self._digests()))
        if found:
            raise InvalidDocument(found)

    def lock_sources(self, *, move: bool = False, fetch: bool = True) -> locks.Lock:
        """Write the pins that the lock lacks, or `move` all of them to what the hub has now; gives the lock.

        With `fetch` what is not here yet is downloaded first. Raises InvalidDocument, LorakitError.
        """
        from lorakit.facts import pins

        written = self.written or self.project
        settled = self
        if move:
            settled = Session(locks.pinned(written, pins.newest(written)))
        if fetch:
            settled.facts(download=True, keys=False)
        found = pins.pins_of(written, settled.project, self._digests(), ask=fetch)
        lock = self.lock.moved(found) if move else self.lock.with_missing(found)
        if lock != self.lock:
            pins.save(written.root, lock)
        return lock

    def lock_missing(self) -> None:
        """Pin what stands on the hub and is not pinned yet; without such sources no lock is begun."""
        from lorakit.facts.pins import missing

        if missing(self.written or self.project, self.lock):
            self.lock_sources(fetch=False)

    def _digests(self) -> Digests:
        from lorakit.facts.files.digests import Digests
        from lorakit.store.store import FOLDER

        return Digests(self.project.home / FOLDER / "digests.json")

    def facts(self, *, download: bool = False, keys: bool = True, verify: bool = False) -> Facts:
        """What planning needs to know of the world, in full or to check by. Raises InvalidDocument."""
        from lorakit.facts.gather import gather

        return gather(self.project, download=download, keys=keys, verify=verify)

    def check(self) -> tuple[Diagnostic, ...]:
        """Everything that can be found without making anything: the warnings; errors are raised."""
        return self.expanded().warnings

    def expanded(self, facts: Facts | None = None) -> Expanded:
        """All actions, with neither keys nor states; `facts` where they are known. Raises InvalidDocument."""
        from lorakit.kinds import kind_of
        from lorakit.plan.expand import expand

        return expand(self.project, facts or self.facts(keys=False), kind_of)

    def plan(
        self,
        selection: Selection | None = None,
        *,
        download: bool = False,
        verify: bool = False,
        cards: Sequence[int] | None = None,
    ) -> ShownPlan:
        """What a run would make, and why. Raises InvalidDocument.

        With `verify` every file and all that the store holds is read again; what is damaged is removed.
        `cards` are memories in GB of GPUs to plan for as well; () for the usual ones, where that is of use.
        """
        from lorakit.facts.machine.environment import environment
        from lorakit.kinds import kind_of
        from lorakit.pages.shown_plan import ShownPlan
        from lorakit.plan import planner
        from lorakit.store.journal import Addresses
        from lorakit.store.store import Store

        store, chosen = Store(self.project.home), selection or planner.Selection()
        if verify:
            store.verify()
        facts = self.facts(download=download, verify=verify)
        with uncollected():
            found = planner.plan(
                self.project,
                replace(facts, environment=environment()),
                kind_of,
                store,
                Addresses(store.folder, self.project.recipe.name).read(),
                chosen,
            )
            if cards is not None:
                found = self._on_cards(found, facts, cards, chosen.draft)
        store.remember()
        return ShownPlan.of(found)

    def _on_cards(self, plan: Plan, facts: Facts, cards: Sequence[int], draft: bool) -> Plan:
        """The plan with what it would be on cards of so many GB."""
        from lorakit.kinds import kind_of
        from lorakit.plan import card_table

        if not cards and not card_table.wanted(facts):
            return plan
        sizes = cards or card_table.CARDS
        table = card_table.card_table(self.project, facts, kind_of, sizes, draft=draft)
        return replace(plan, cards=table)

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
        `progress` prints how far it is, line by line; by default in a notebook only.
        """
        from lorakit.execute import nothing_new
        from lorakit.execute.pool import Workers
        from lorakit.execute.run_folder import RunFolder
        from lorakit.execute.run_record import record
        from lorakit.execute.run_request import RunRequest
        from lorakit.execute.runner import Runner, Settings
        from lorakit.pages.run_report import write_report
        from lorakit.pages.shown_run import ShownRun
        from lorakit.plan.planner import Selection
        from lorakit.store.store import Store
        from lorakit.ui.plain import told

        root = self.project.home
        if (
            not str(root).isprintable()
            and str(root) != str(root).encode("utf-8", "replace").decode()
        ):
            raise LorakitError(
                f"the path {root} is no UTF-8, and libraries open no file below it: rename the folder"
            )
        chosen = selection or Selection()
        settled = plan or self.plan(chosen, download=True)
        store = Store(root)
        store.refuse_links()
        whole = None if copy else nothing_new.folder_with_all(settled, root)
        with told(settled, listener, progress=progress) as hear:
            if whole is not None:
                return ShownRun.of(nothing_new.tell(settled, root, whole, hear))
            store.prepare()
            folder = RunFolder.create(root, self.project.recipe.name)
            documents, paths = self._documents()
            request = RunRequest.of(self.project, paths, self.settings, self.profile, chosen)
            folder.begin(record(settled, documents, request))
            with Workers() as own:
                settings = Settings(keep_going, stop, write_report)
                runner = Runner(settled, store, folder, chosen, settings, hear, workers or own)
                return ShownRun.of(runner.run())

    def _documents(self) -> tuple[dict[str, str], dict[str, Path]]:
        """The texts that a run is made from, the lock among them, and where they stand, by their names."""
        from lorakit.execute.run_record import documents_of

        reader = FolderReader()
        documents = documents_of(self.project)
        paths = {reader.display(path): path for path in self.project.files}
        lock = self.project.root / locks.FILE
        if reader.is_file(lock):
            documents[locks.FILE] = lock.read_text("utf-8")
            paths[locks.FILE] = lock
        return documents, paths


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
