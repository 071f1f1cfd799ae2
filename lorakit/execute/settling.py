"""What becomes of a run's actions: taken from the store, made, failed or skipped, and what is ready by that.

An action's key is computed when its inputs are there, so that a result which turns out equal to an earlier
one stops the work behind it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from lorakit.execute.events import ActionFinished, Note, Outcome
from lorakit.execute.results import Results
from lorakit.execute.run_folder import RunFolder
from lorakit.execute.stopwatch import Stopwatch
from lorakit.execute.task_graph import TaskGraph
from lorakit.plan.actions import Action
from lorakit.plan.decisions import stale_pick
from lorakit.plan.gates import is_spared
from lorakit.plan.keys import action_key
from lorakit.plan.states import State
from lorakit.plan.tasks.pick import PickTask
from lorakit.store.manifests import Output
from lorakit.store.store import Store


class Settling:
    """Settles one run's actions; `tell` takes an event's class and values, `queue` what is to be made."""

    def __init__(
        self,
        graph: TaskGraph,
        results: Results,
        store: Store,
        folder: RunFolder,
        watch: Stopwatch,
        tell: Callable[..., None],
        queue: Callable[[str], None],
    ) -> None:
        self._graph, self._results = graph, results
        self._store, self._folder, self._watch = store, folder, watch
        self._tell, self._queue = tell, queue
        self.made_by: Counter[str] = Counter()  # actions, by the name of the worker
        self.failed = False
        self.halted = False  # something failed after which nothing more is begun

    def ready(self, ready: Iterable[str]) -> None:
        """Actions whose inputs are there: taken from the store, or queued.

        A loop and no recursion: ten thousand cached frames may hang on each other.
        """
        todo = list(ready)[::-1]
        while todo:
            id_ = todo.pop()
            action = self._graph.actions[id_]
            given = self._graph.planned[id_]
            if action.unless and is_spared(action.unless, self._graph.outputs, self._store.text):
                todo += self._graph.spare(id_)
                continue
            inputs = self._graph.inputs(id_) if given.state is not State.APPROVED else {}
            digests = {role: output.digest for role, output in inputs.items()}
            key = action_key(action, digests)
            if given.state is State.APPROVED and given.key:
                key = given.key  # not that of its inputs as they are
            self._graph.keys[id_] = key
            kept = self._results.kept(action)
            if kept is not None:
                self._tell_of_stale(action, inputs)
                todo += self._settle(id_, kept, "cached")
            elif given.state is State.APPROVED or isinstance(action.task, PickTask):
                self.fail(id_, "its picture was damaged or removed since it was made: run again")
            elif self._graph.claim(id_, key) and not self._results.bring(action):
                self._queue(id_)

    def brought(self, id_: str) -> None:
        """What the team's cache had for an action is here, or did not come: then it is made."""
        if id_ not in self._graph.outcomes and not self.reuse(self._graph.actions[id_]):
            self._queue(id_)

    def _tell_of_stale(self, action: Action, inputs: Mapping[str, Output]) -> None:
        """Say that a pick is not followed, where the plan could not know it yet."""
        task = action.task
        known = self._graph.planned[action.id].outputs is not None
        if isinstance(task, PickTask) and not known and task.stale(inputs):
            where = f"{action.place}: " if action.place else ""
            self._tell(Note, f"{where}warning[stale-pick]: {stale_pick(task)}")

    def reuse(self, action: Action) -> bool:
        """Take a queued action's outputs from the store after all."""
        kept = self._results.kept(action)
        if kept is None:
            return False
        ready = self._settle(action.id, kept, "cached")
        for twin in self._graph.twins(action.id):
            ready += self._settle(twin, kept, "cached")
        self.ready(ready)
        return True

    def commit(self, message: Mapping[str, Any], worker: str) -> None:
        """Keep a worker's result: objects first, the manifest last. Raises StoreError."""
        id_ = str(message["id"])
        outputs, seconds = self._results.commit(message)
        self._watch.lap(self._graph.actions[id_], worker)
        self.made_by[worker] += 1
        ready = self._settle(id_, outputs, "made", seconds)
        for twin in self._graph.twins(id_):
            ready += self._settle(twin, outputs, "cached")
        self.ready(ready)

    def fail(self, id_: str, error: str) -> None:
        """An action came to nothing, and what needs it is skipped."""
        ready: list[str] = []
        for failed in (id_, *self._graph.twins(id_)):
            key = self._graph.keys.get(failed, "")
            action = self._graph.actions[failed]
            self.halted = self.halted or not (action.alone or action.may_fail)
            # a sample that cannot be drawn is a pity, and no reason to end a run
            self.failed = self.failed or not action.may_fail
            self._tell(ActionFinished, failed, "failed", key, detail=error)
            skipped_with, freed = self._graph.fail(failed)
            ready += freed
            for skipped in skipped_with:
                self.failed = self.failed or not self._graph.actions[skipped].may_fail
                self._tell(
                    ActionFinished, skipped, "skipped", detail=f"needs {failed}, which failed"
                )
        self.ready(ready)

    def stop_for(self, reason: str) -> None:
        """Something is wrong that no action can help: nothing more is begun."""
        self.failed = self.halted = True
        self._tell(Note, reason)

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
