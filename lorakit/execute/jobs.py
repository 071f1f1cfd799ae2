"""What a worker is told of an action: where its inputs lie, and where its results go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from lorakit.plan.actions import Action, Engine
from lorakit.store.sources import Read, Sources, texts_in
from lorakit.store.store import Output, Store


def job(
    action: Action,
    key: str,
    inputs: Mapping[str, Output],
    store: Store,
    sources: Sources,
    folders: tuple[Path, Path, Path],
) -> dict[str, object]:
    """An action as JSON; `folders` are those of results, of checkpoints, and of trackers' logs."""
    out, keep, logs = folders
    out.mkdir(exist_ok=True)
    return {
        "id": action.id,
        "key": key,
        "kind": action.kind,
        "params": action.params,
        "inputs": {role: str(store.object_path(o.digest)) for role, o in inputs.items()},
        "extra": action.extra,
        "reads": reads(sources, store, action.params, action.extra),
        "out": str(out),
        "keep": str(keep),
        "logs": str(logs),
    }


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
    engine = action.engine
    paths = engine.spec.get("adapter_paths")
    if not isinstance(paths, list) or not any(str(p).startswith("input:") for p in paths):
        return engine
    found = [
        str(store.object_path(inputs[role].digest))
        if (role := str(path).removeprefix("input:")) in inputs
        else path
        for path in paths
    ]
    return replace(engine, spec={**engine.spec, "adapter_paths": found})
