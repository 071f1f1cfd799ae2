"""A run that makes something: its new folder, what that says of it from the first moment, and the runner."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lorakit.execute.events import Event, RunFinished
from lorakit.execute.pool import Workers
from lorakit.execute.run_folder import RunFolder
from lorakit.execute.run_record import documents_of, run_record
from lorakit.execute.run_request import RunRequest
from lorakit.execute.runner import Runner, Settings
from lorakit.language import FolderReader, locks
from lorakit.language.recipe.project import Project
from lorakit.pages.run_report import write_report
from lorakit.plan.selection import Selection
from lorakit.plan.states import Plan
from lorakit.records import record
from lorakit.remote.team_cache import TeamCache
from lorakit.store.store import Store


@record
class Making:
    """What is run: a project as it was loaded, by which settings and profile, and what of it is chosen."""

    project: Project
    settings: tuple[str, ...]
    profile: str | None
    chosen: Selection

    def run(
        self,
        plan: Plan,
        store: Store,
        hear: Callable[[Event], None],
        *,
        stop: Callable[[], bool],
        keep_going: bool,
        workers: Workers | None,
    ) -> RunFinished:
        """Make what a plan lacks, by `workers` or some of its own. Raises LorakitError."""
        store.prepare()
        folder = RunFolder.create(self.project.home, self.project.recipe.name)
        documents, paths = self._documents()
        request = RunRequest.of(self.project, paths, self.settings, self.profile, self.chosen)
        folder.begin(run_record(plan, documents, request))
        cache = plan.offers if isinstance(plan.offers, TeamCache) else None
        settings = Settings(keep_going, stop, write_report, cache)
        with Workers() as own:
            return Runner(plan, store, folder, self.chosen, settings, hear, workers or own).run()

    def _documents(self) -> tuple[dict[str, str], dict[str, Path]]:
        """The texts that a run is made from, the lock among them, and where they stand, by their names."""
        reader = FolderReader()
        documents = documents_of(self.project)
        paths = {reader.display(path): path for path in self.project.files}
        lock = self.project.root / locks.FILE
        if reader.is_file(lock):
            documents[locks.FILE] = lock.read_text("utf-8")
            paths[locks.FILE] = lock
        return documents, paths
