"""What a run keeps and takes from the store: results, jobs' folders, checkpoints."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lorakit.execute import jobs
from lorakit.execute.task_graph import TaskGraph
from lorakit.execute.team import Team
from lorakit.facts.machine.environment import differences
from lorakit.plan.actions import Action
from lorakit.plan.selection import Selection
from lorakit.plan.states import Plan, State
from lorakit.plan.tasks.job import Job
from lorakit.plan.tasks.pick import PickTask
from lorakit.plan.tasks.task import WorkerTask
from lorakit.plan.workers import WORKERS
from lorakit.store.manifests import Manifest, Output
from lorakit.store.store import Store


class Results:
    """The results of one run; `scratch` is the folder that unfinished ones lie in."""

    def __init__(
        self,
        plan: Plan,
        graph: TaskGraph,
        selection: Selection,
        store: Store,
        scratch: Path,
        team: Team | None = None,
    ) -> None:
        self._team = team
        self._plan, self._graph, self._selection = plan, graph, selection
        self._store, self._scratch = store, scratch
        self._numbers = {id_: f"{n}" for n, id_ in enumerate(graph.actions)}

    def kept(self, action: Action) -> Mapping[str, Output] | None:
        """An action's outputs, if the store has all that somebody needs of them, whole."""
        if isinstance(action.task, PickTask):
            return self._picked(action, action.task)
        if self._graph.planned[action.id].state is State.APPROVED:
            manifest = self._store.manifest(self._graph.keys[action.id])
            return manifest.outputs if manifest and self._has(action, manifest.outputs) else None
        if self._graph.planned[action.id].forced or self._selection.forces(action):
            return None
        manifest = self._store.manifest(self._graph.keys[action.id])
        if manifest is None:
            return None
        packages, now = WORKERS[action.engine.slot].packages, self._plan.environment
        if self._selection.rebuild and differences(manifest.environment, now, packages):
            return None
        return manifest.outputs if self._has(action, manifest.outputs) else None

    def _picked(self, action: Action, task: PickTask) -> Mapping[str, Output] | None:
        outputs = task.chosen(self._graph.inputs(action.id))
        return outputs if self._has(action, outputs) else None

    def _has(self, action: Action, outputs: Mapping[str, Output]) -> bool:
        """Whether the store has all of an action's outputs that somebody needs, whole."""
        return all(n in outputs and self._store.has(outputs[n]) for n in self._needed(action))

    def _needed(self, action: Action) -> set[str]:
        return set(action.files) | self._graph.opened_behind(action.id)

    def bring(self, action: Action) -> bool:
        """Whether the team's cache has an action's result, which is being fetched."""
        if self._team is None or isinstance(action.task, PickTask):
            return False
        if self._graph.planned[action.id].forced or self._selection.forces(action):
            return False
        packages, now = WORKERS[action.engine.slot].packages, self._plan.environment
        key = self._graph.keys[action.id]
        manifest = self._team.cache.manifest(key)
        if manifest is None or self._team.cache.refusal(manifest, packages, now):
            return False
        if self._selection.rebuild and differences(manifest.environment, now, packages):
            return False
        return self._team.bringing.bring(action.id, key, self._needed(action))

    def lost(self, inputs: Mapping[str, Output]) -> str:
        """The role of an input that is no longer whole; empty where all are."""
        return next((role for role, o in inputs.items() if not self._store.has(o)), "")

    def job(self, action: Action, inputs: Mapping[str, Output], logs: Path) -> Job[WorkerTask]:
        """What the action's worker is told."""
        key = self._graph.keys[action.id]
        folders = (self._out(action.id), _only_files(self._checkpoints(key)), logs)
        return jobs.job(action, key, inputs, self._store, self._plan.sources, folders)

    def commit(self, message: Mapping[str, Any]) -> tuple[Mapping[str, Output], float]:
        """Keep a result: objects first, the manifest last. Returns outputs and seconds."""
        id_ = str(message["id"])
        action, key = self._graph.actions[id_], self._graph.keys[id_]
        outputs = {name: self._store.adopt(Path(path)) for name, path in message["outputs"].items()}
        seconds = round(float(message.get("seconds", 0.0)), 3)
        inputs = {role: output.digest for role, output in self._graph.inputs(id_).items()}
        made_with = self._plan.environment
        made = Manifest(key, action.kind, action.task.key(), inputs, outputs, seconds, made_with)
        self._store.record(made)
        if self._team is not None:
            self._team.sending.send(made)
        shutil.rmtree(self._out(id_), ignore_errors=True)
        shutil.rmtree(self._checkpoints(key), ignore_errors=True)
        return outputs, seconds

    def _checkpoints(self, key: str) -> Path:
        """Where a training's checkpoints stand until it is done: they outlive the run."""
        return self._store.folder / "checkpoints" / key

    def _out(self, id_: str) -> Path:
        return self._scratch / self._numbers[id_]


def _only_files(folder: Path) -> Path:
    """A folder that was kept, without what is neither file nor folder: a log is added to, links followed."""
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            mode = os.lstat(os.path.join(place, name)).st_mode  # noqa: PTH118
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                Path(place, name).unlink()
    return folder
