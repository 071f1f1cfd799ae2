"""The runner: hands ready actions to workers, keeps what comes back, tells what happens.

One thread decides everything: it takes messages from the workers, commits results (objects, then the
manifest), finds what has become ready, and sends it out.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from lorakit.diagnostics import in_words
from lorakit.execute import jobs, run_report, running
from lorakit.execute.crew import Crew
from lorakit.execute.estimates import Estimates
from lorakit.execute.events import (
    SUCCEEDED,
    Ending,
    Event,
    Note,
    RunFinished,
    RunStarted,
)
from lorakit.execute.pool import Workers
from lorakit.execute.results import Results
from lorakit.execute.run_folder import RunFolder
from lorakit.execute.settling import Settling
from lorakit.execute.stopwatch import Stopwatch
from lorakit.execute.task_graph import TaskGraph
from lorakit.execute.team import Team
from lorakit.execute.worker_messages import WorkerMessages
from lorakit.execute.workers import Inbox
from lorakit.plan.hint import what_a_change_costs
from lorakit.plan.selection import Selection
from lorakit.plan.states import Plan
from lorakit.remote.team_cache import TeamCache
from lorakit.store.errors import StoreError, why
from lorakit.store.journal import Addresses, Timings
from lorakit.store.store import Scratch, Store


@dataclass(slots=True)
class Settings:
    """How a run behaves where something goes wrong, what tells it to stop, and who writes its page.

    `report` is handed the run folder and the last event when all else is written, and says where the page is.
    `cache` is the team's, where there is one.
    """

    keep_going: bool = False
    stop: Callable[[], bool] = lambda: False
    report: Callable[[Path, RunFinished], Path] | None = None
    cache: TeamCache | None = None


class Runner:
    """One run of one plan."""

    def __init__(
        self,
        plan: Plan,
        store: Store,
        folder: RunFolder,
        selection: Selection,
        settings: Settings,
        listener: Callable[[Event], None],
        workers: Workers,
    ) -> None:
        self._plan = plan
        self._store = store
        self._folder = folder
        self._selection = selection
        self._settings = settings
        self._listener = listener
        self._began = time.monotonic()
        self._graph = TaskGraph(plan)
        self._inbox: Inbox = queue.Queue()
        self._watch = Stopwatch()
        self._estimates = Estimates(plan.timings)
        self._team = Team.of(settings.cache, store, self._inbox)
        workers.places.expect((p.action for p in plan.to_make), plan.timings)
        locks = store.folder / "locks"
        self._crew = Crew(self._graph.actions, workers, locks, folder.log, self._inbox, self._tell)

    # -- the run ---------------------------------------------------------------------------------

    def run(self) -> RunFinished:
        """Make everything the plan asks for; ends early on a failure or when told to stop."""
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        sure = sum(not p.state.maybe_never for p in self._plan.actions)
        counts = sure, len(self._plan.to_make)
        self._tell(RunStarted, str(self._folder.path), self._plan.recipe, *counts, began=now)
        scratch = self._scratched()
        for note in self._team.came if self._team is not None else ():
            self._tell(Note, note)
        ending: Ending = "done"
        try:
            for planned in self._plan.to_make:
                self._crew.expect(planned.action.engine.slot)
            self._settling.ready(self._graph.first())
            while not self._over():
                if self._settings.stop():
                    ending = "interrupted"
                    break
                self._check_folders()
                self._dispatch()
                self._messages.listen()
        except StoreError as error:
            self._settling.stop_for(str(error))
        except OSError as error:
            self._settling.stop_for(f"{error.filename or self._store.folder}: {why(error)}")
        finally:
            self._crew.close()
            self._messages.keep_late_results()
            scratch.close()
        return self._finish("failed" if self._settling.failed and ending == "done" else ending)

    def _scratched(self) -> Scratch:
        try:
            scratch = self._store.scratch(running.told(self._plan, self._folder.path), self._wait)
        except StoreError:
            self._folder.close()
            raise
        self._scratch = scratch.folder
        self._results = Results(
            self._plan, self._graph, self._selection, self._store, scratch.folder, self._team
        )
        self._settling = Settling(
            self._graph,
            self._results,
            self._store,
            self._folder,
            self._watch,
            self._tell,
            self._queue,
        )
        self._messages = WorkerMessages(
            self._inbox,
            self._crew.slots,
            self._graph,
            self._settling,
            self._watch,
            self._estimates,
            self._tell,
            self._folder.show,
        )
        return scratch

    def _wait(self) -> None:
        self._tell(Note, "waits for `lorakit gc`, which clears the store")

    def _tell(self, kind: type[Any], *values: Any, **named: Any) -> None:
        event: Event = kind(round(time.monotonic() - self._began, 3), *values, **named)
        self._folder.tell(event)
        self._listener(event)

    def _check_folders(self) -> None:
        """Raise StoreError where what the run writes to is gone."""
        self._folder.check()
        if not self._scratch.is_dir():
            raise StoreError(
                f"{self._store.folder} was removed while the run went on: run again to make it anew"
            )

    def _over(self) -> bool:
        if self._settling.halted and not self._settings.keep_going:
            return not self._crew.busy
        return self._graph.over

    # -- workers ---------------------------------------------------------------------------------

    def _queue(self, id_: str) -> None:
        """Hand an action to its kind of worker, unless that has been given up."""
        why_not = self._crew.put(id_)
        if why_not:
            self._settling.fail(id_, why_not)

    def _dispatch(self) -> None:
        """Keep every worker supplied."""
        if self._settling.halted and not self._settings.keep_going:
            return
        for slot in self._crew.ready():
            while (action := slot.take()) is not None:
                # another run may have made it since it was queued
                if self._settling.reuse(action):
                    continue
                assert slot.worker is not None
                if not slot.busy:
                    self._watch.begin(slot.name)
                inputs = self._graph.inputs(action.id)
                lost = self._results.lost(inputs)
                if lost:
                    why_not = f"{lost} was damaged or removed since it was made: run again"
                    self._settling.fail(action.id, why_not)
                    continue
                engine = jobs.settled(action, inputs, self._store)
                reads = jobs.reads(self._plan.sources, self._store, engine.spec.to_json())
                slot.loaded = slot.loaded and slot.worker.engine_id == engine.id
                slot.worker.open(engine, reads)
                logs = self._folder.path / action.id.rpartition("/")[0] / "logs"
                slot.worker.submit(self._results.job(action, inputs, logs))
        self._crew.rest()

    # -- the end ---------------------------------------------------------------------------------

    def _finish(self, ending: Ending) -> RunFinished:
        graph = self._graph
        if self._team is not None:
            self._team.finish(self._settings.stop, lambda note: self._tell(Note, note))
        observed = self._watch.observed()
        self._store.remember()
        made = {i: k for i, k in graph.keys.items() if graph.outcomes.get(i) in SUCCEEDED}
        try:
            if observed:
                Timings(self._store.folder).learn({**observed, **self._estimates.observed()})
            Addresses(self._store.folder, self._plan.recipe).update(made)
        except OSError as error:
            # the next plan is poorer by its reasons and a better guess of the time
            self._tell(Note, f"{error.filename or self._store.folder}: {why(error)}")
        seconds = round(time.monotonic() - self._began, 3)
        finished = run_report.finished(
            self._plan,
            graph,
            ending,
            self._folder.path,
            seconds,
            calls=self._messages.calls,
            workers=dict(self._settling.made_by) if self._crew.several else {},
            hint=what_a_change_costs(
                list(graph.actions.values()), {**self._plan.timings, **observed}
            ),
            estimates=self._estimates,
        )
        complete = ending == "done" and not graph.held
        try:
            self._folder.finish(run_report.manifest(self._plan, graph, finished), complete=complete)
        except StoreError as error:
            self._settling.stop_for(str(error))
            finished = replace(finished, ending="failed" if ending == "done" else ending)
        else:
            finished = self._reported(finished)
        self._folder.tell(finished)
        self._folder.close()
        self._listener(finished)
        return finished

    def _reported(self, finished: RunFinished) -> RunFinished:
        """The last event once the run's page is written; one that cannot be fails no run."""
        if self._settings.report is None:
            return finished
        try:
            page = self._settings.report(self._folder.path, finished)
        except Exception as error:  # noqa: BLE001 - the page is beside the work: whatever is wrong with it is told
            self._tell(Note, f"no report.html was written: {in_words(error)}")
            return finished
        return replace(finished, report=str(page))
