"""The runner: hands ready actions to workers, keeps what comes back, tells what happens.

One thread decides everything: it takes messages from the workers, commits results (objects, then the
manifest), finds what has become ready, and sends it out. An action's key is computed when its inputs
are there, so that a result which turns out equal to an earlier one stops the work behind it.
"""

from __future__ import annotations

import queue
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from lorakit.diagnostics import in_words
from lorakit.execute import jobs, run_report, running
from lorakit.execute.estimates import Estimates
from lorakit.execute.events import (
    SUCCEEDED,
    ActionFinished,
    ActionProgress,
    ActionStarted,
    Ending,
    Event,
    Note,
    Outcome,
    RunFinished,
    RunStarted,
    WorkerState,
)
from lorakit.execute.pool import Workers
from lorakit.execute.results import Results
from lorakit.execute.run_folder import RunFolder
from lorakit.execute.slots import Slot, how_it_ended
from lorakit.execute.stopwatch import Stopwatch
from lorakit.execute.task_graph import TaskGraph
from lorakit.execute.turns import may_begin
from lorakit.execute.workers import Inbox, WorkerHandle
from lorakit.facts.machine.this_machine import this_machine
from lorakit.plan.actions import Action
from lorakit.plan.hint import what_a_change_costs
from lorakit.plan.keys import action_key
from lorakit.plan.planner import Selection
from lorakit.plan.states import Plan
from lorakit.plan.workers import WORKERS
from lorakit.store.errors import StoreError, why
from lorakit.store.journal import Addresses, Timings
from lorakit.store.manifests import Output
from lorakit.store.store import Scratch, Store

_LATENCY = 0.1  # s between looks at Ctrl-C


@dataclass(slots=True)
class Settings:
    """How a run behaves where something goes wrong, what tells it to stop, and who writes its page.

    `report` is handed the run folder and the last event when all else is written, and says where the page is.
    """

    keep_going: bool = False
    stop: Callable[[], bool] = lambda: False
    report: Callable[[Path, RunFinished], Path] | None = None


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
        self._workers = workers
        self._began = time.monotonic()
        self._graph = TaskGraph(plan)
        self._slots: dict[str, Slot] = {}
        self._inbox: Inbox = queue.Queue()
        self._watch = Stopwatch()
        self._estimates = Estimates(plan.timings)
        self._calls: dict[int, dict[str, int]] = {}  # by worker, as it last told them
        self._broken: dict[str, str] = {}
        self._one_by_one = this_machine().kind.gpu
        self._failed = False
        self._halted = False  # something failed after which nothing more is begun

    # -- the run ---------------------------------------------------------------------------------

    def run(self) -> RunFinished:
        """Make everything the plan asks for; ends early on a failure or when told to stop."""
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        counts = len(self._graph.actions), len(self._plan.to_make)
        self._tell(RunStarted, str(self._folder.path), self._plan.recipe, *counts, began=now)
        scratch = self._scratched()
        ending: Ending = "done"
        try:
            for planned in self._plan.to_make:
                self._slot(planned.action.engine.slot)
            self._settle_ready(self._graph.first())
            while not self._over():
                if self._settings.stop():
                    ending = "interrupted"
                    break
                self._check_folders()
                self._dispatch()
                self._listen()
        except StoreError as error:
            self._stop_for(str(error))
        except OSError as error:
            self._stop_for(f"{error.filename or self._store.folder}: {why(error)}")
        finally:
            for slot in self._slots.values():
                if slot.worker is not None:
                    self._workers.give_back(slot.worker)
            self._keep_late_results()
            scratch.close()
        return self._finish("failed" if self._failed and ending == "done" else ending)

    def _scratched(self) -> Scratch:
        try:
            scratch = self._store.scratch(running.told(self._plan, self._folder.path), self._wait)
        except StoreError:
            self._folder.close()
            raise
        self._scratch = scratch.folder
        self._results = Results(
            self._plan, self._graph, self._selection, self._store, scratch.folder
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
        if self._halted and not self._settings.keep_going:
            return not any(slot.busy for slot in self._slots.values())
        return self._graph.over

    def _stop_for(self, reason: str) -> None:
        self._failed = self._halted = True
        self._tell(Note, reason)

    # -- workers ---------------------------------------------------------------------------------

    def _slot(self, name: str) -> Slot:
        """A slot with its worker, which starts while others still plan or draw."""
        if name not in self._slots:
            self._slots[name] = Slot(name, self._graph.actions)
            self._start(self._slots[name])
        return self._slots[name]

    def _start(self, slot: Slot) -> None:
        locks = self._store.folder / "locks"
        lock = locks / f"{slot.name}.lock" if WORKERS[slot.name].torch else None
        threads = this_machine().cores
        slot.worker = self._workers.take(slot.name, threads, lock, self._folder.log, self._inbox)
        self._tell(WorkerState, slot.name, "starting")

    def _dispatch(self) -> None:
        """Keep every worker supplied."""
        if self._halted and not self._settings.keep_going:
            return
        for slot in self._slots.values():
            if slot.wants_a_worker:
                self._start(slot)
            if self._one_by_one and slot.waits and not may_begin(slot, self._slots.values()):
                continue
            while (action := slot.take()) is not None:
                # another run may have made it since it was queued
                if self._reuse(action):
                    continue
                assert slot.worker is not None
                if not slot.busy:
                    self._watch.begin(slot.name)
                inputs = self._graph.inputs(action.id)
                lost = self._results.lost(inputs)
                if lost:
                    why_not = f"{lost} was damaged or removed since it was made: run again"
                    self._fail(action.id, why_not)
                    continue
                engine = jobs.settled(action, inputs, self._store)
                reads = jobs.reads(self._plan.sources, self._store, engine.spec.to_json())
                slot.worker.open(engine, reads)
                logs = self._folder.path / action.id.rpartition("/")[0] / "logs"
                slot.worker.submit(self._results.job(action, inputs, logs))

    def _listen(self) -> None:
        """Take what the workers tell, all that is there, or wait a moment for it."""
        try:
            message = self._inbox.get(timeout=_LATENCY)
            while True:
                self._hear(*message)
                message = self._inbox.get_nowait()
        except queue.Empty:
            return

    def _hear(self, worker: WorkerHandle, message: Mapping[str, Any]) -> None:
        slot = self._slots[worker.slot]
        match message["event"]:
            case "state":
                self._hear_state(slot, message)
            case "started":
                self._tell(ActionStarted, message["id"])
            case "progress":
                done, total, figures = message["done"], message["total"], message["figures"]
                self._watch.progress(message["id"], done, figures.get("training_seconds"))
                self._estimates.note(self._graph.actions[message["id"]], figures)
                self._tell(ActionProgress, message["id"], done, total, figures)
            case "ended":
                self._hear_end(worker, message)
            case "note":
                self._tell(Note, str(message["text"]))
            case "refused":
                for id_ in slot.refuse(str(message["engine"])):
                    self._fail(id_, str(message["error"]))
            case "broken":
                self._broken[slot.name] = str(message["error"])
            case "gone" if not worker.ending:
                self._bury(slot, int(message["code"]))

    def _hear_state(self, slot: Slot, message: Mapping[str, Any]) -> None:
        state, detail = str(message["state"]), str(message.get("detail", ""))
        seconds = float(message.get("seconds", 0.0))
        if state == "starting":
            slot.ready = True
            return
        if state == "loading":
            slot.loading = detail
        elif state == "ready":
            self._watch.loaded(slot.name, detail, seconds)
            detail = slot.loading
        self._tell(WorkerState, slot.name, state, detail, round(seconds, 2))

    def _hear_end(self, worker: WorkerHandle, message: Mapping[str, Any]) -> None:
        self._calls[worker.pid] = dict(message.get("calls", {}))
        worker.jobs.discard(message["id"])
        if "error" in message:
            self._fail(message["id"], str(message["error"]))
        else:
            self._commit(message)
        self._slots[worker.slot].retire()

    def _bury(self, slot: Slot, code: int) -> None:
        """A worker died: what it had in hand is tried once more, unless that keeps killing workers."""
        lost = slot.bury(code, self._broken.pop(slot.name, ""))
        if slot.wants_a_worker and not lost:
            how = how_it_ended(code)
            self._tell(Note, f"the {slot.name} worker ended by itself ({how}); starting it again")
        for id_, reason in lost.items():
            self._fail(id_, reason)

    def _keep_late_results(self) -> None:
        """What workers finished while they were being ended is kept as well."""
        while True:
            try:
                _, message = self._inbox.get_nowait()
            except queue.Empty:
                return
            done = message["event"] == "ended" and "error" not in message
            if done and message["id"] not in self._graph.outcomes:
                try:
                    self._commit(message)
                except StoreError as error:
                    self._stop_for(str(error))

    # -- actions ---------------------------------------------------------------------------------

    def _settle_ready(self, ready: Iterable[str]) -> None:
        """Actions whose inputs are there: taken from the store, or queued.

        A loop and no recursion: ten thousand cached frames may hang on each other.
        """
        todo = list(ready)[::-1]
        while todo:
            id_ = todo.pop()
            action = self._graph.actions[id_]
            inputs = {role: o.digest for role, o in self._graph.inputs(id_).items()}
            key = self._graph.keys[id_] = action_key(action, inputs)
            kept = self._results.kept(action)
            if kept is not None:
                todo += self._settle(id_, kept, "cached")
            elif self._graph.claim(id_, key):
                slot = self._slot(action.engine.slot)
                if slot.given_up:
                    self._fail(id_, slot.given_up)
                else:
                    slot.put(id_)

    def _reuse(self, action: Action) -> bool:
        """Take a queued action's outputs from the store after all."""
        kept = self._results.kept(action)
        if kept is None:
            return False
        ready = self._settle(action.id, kept, "cached")
        for twin in self._graph.twins(action.id):
            ready += self._settle(twin, kept, "cached")
        self._settle_ready(ready)
        return True

    def _commit(self, message: Mapping[str, Any]) -> None:
        """Keep a result: objects first, the manifest last."""
        id_ = str(message["id"])
        outputs, seconds = self._results.commit(message)
        self._watch.lap(self._graph.actions[id_])
        ready = self._settle(id_, outputs, "made", seconds)
        for twin in self._graph.twins(id_):
            ready += self._settle(twin, outputs, "cached")
        self._settle_ready(ready)

    def _settle(
        self, id_: str, outputs: Mapping[str, Output], outcome: Outcome, seconds: float = 0.0
    ) -> list[str]:
        """Put an action's files in the run folder; returns what waited for it alone."""
        files: list[str] = []
        for name, paths in self._graph.actions[id_].files.items():
            self._folder.put(self._store.object_path(outputs[name].digest), paths)
            files += paths
        picture = next((file for file in files if file.endswith(".png")), "")
        key = self._graph.keys[id_]
        self._tell(ActionFinished, id_, outcome, key, seconds, tuple(files), picture)
        return self._graph.settle(id_, outputs, outcome)

    def _fail(self, id_: str, error: str) -> None:
        ready: list[str] = []
        for failed in (id_, *self._graph.twins(id_)):
            key = self._graph.keys.get(failed, "")
            action = self._graph.actions[failed]
            self._halted = self._halted or not (action.alone or action.may_fail)
            # a sample that cannot be drawn is a pity, and no reason to end a run
            self._failed = self._failed or not action.may_fail
            self._tell(ActionFinished, failed, "failed", key, detail=error)
            skipped_with, freed = self._graph.fail(failed)
            ready += freed
            for skipped in skipped_with:
                self._failed = self._failed or not self._graph.actions[skipped].may_fail
                self._tell(
                    ActionFinished, skipped, "skipped", detail=f"needs {failed}, which failed"
                )
        self._settle_ready(ready)

    # -- the end ---------------------------------------------------------------------------------

    def _finish(self, ending: Ending) -> RunFinished:
        graph = self._graph
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
            calls=dict(sum((Counter(calls) for calls in self._calls.values()), Counter())),
            hint=what_a_change_costs(
                list(graph.actions.values()), {**self._plan.timings, **observed}
            ),
            estimates=self._estimates,
        )
        complete = ending == "done" and not graph.held
        try:
            self._folder.finish(run_report.manifest(self._plan, graph, finished), complete=complete)
        except StoreError as error:
            self._stop_for(str(error))
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
