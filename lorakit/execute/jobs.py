"""What a worker is told of an action: where its inputs lie, and where its results go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from lorakit.plan.actions import Action, Engine
from lorakit.plan.engine_specs import DrawingSpec
from lorakit.plan.tasks.job import Job
from lorakit.plan.tasks.task import WorkerTask
from lorakit.store.sources import Read, Sources, texts_in
from lorakit.store.store import Output, Store


def job(
    action: Action,
    key: str,
    inputs: Mapping[str, Output],
    store: Store,
    sources: Sources,
    folders: tuple[Path, Path, Path],
) -> Job[WorkerTask]:
    """An action's task with its files; `folders` are for results, checkpoints, and trackers' logs."""
    out, keep, logs = folders
    out.mkdir(exist_ok=True)
    files = {role: str(store.object_path(o.digest)) for role, o in inputs.items()}
    named = tuple(reads(sources, store, action.task.to_json()))
    return Job(action.id, key, action.task, files, out, keep, logs, named)


def reads(sources: Sources, store: Store, *values: object) -> list[Read]:
    """The files that a worker will read which is told these values, with what they were in the plan."""
    # pictures out of tables stand in the store, under names that say what they are
    kept = [
        path for text in texts_in(values) if (path := Path(text)).parent.parent == store.objects
    ]
    objects: list[Read] = [(str(path), path.parent.name + path.name, []) for path in kept]
    return sources.named_in(*values) + objects


def settled(action: Action, inputs: Mapping[str, Output], store: Store) -> Engine:
    """An engine with the paths of adapters that this run, or one before it, has trained."""
    engine, spec = action.engine, action.engine.spec
    if not isinstance(spec, DrawingSpec):
        return engine

    def settled_path(path: str) -> str:
        adapter = inputs.get(path.removeprefix("input:")) if path.startswith("input:") else None
        return path if adapter is None else str(store.object_path(adapter.digest))

    return replace(
        engine, spec=replace(spec, adapter_paths=tuple(map(settled_path, spec.adapter_paths)))
    )
