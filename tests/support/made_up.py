"""A store in which everything counts as made, so that what is done with results needs no worker."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lorakit.facts.machine.environment import environment
from lorakit.plan.keys import action_key
from lorakit.session import load
from lorakit.store.manifests import Manifest, Output
from lorakit.store.store import Store


def make_up(
    home: Path, document: str = "recipe.yaml", *, made_with: Mapping[str, str] | None = None
) -> dict[str, Manifest]:
    """Put a result of a few bytes into the store for each action of a document; manifests by address."""
    plan = load(home / document).plan(remote=False)
    store = Store(plan_home := load(home / document).project.home)
    assert plan_home == home.resolve()
    store.prepare()
    asked: dict[str, set[str]] = {}
    for source in (i for one in plan.actions for i in one.action.inputs):
        asked.setdefault(source.action, set()).add(source.output)
    outputs: dict[str, dict[str, Output]] = {}
    made: dict[str, Manifest] = {}
    for one in plan.actions:
        action = one.action
        inputs = {i.role: outputs[i.action][i.output].digest for i in action.inputs}
        key = action_key(action, inputs)
        names = set(action.files) | asked.get(action.id, set())
        outputs[action.id] = {n: store.put(f"{n} of {key}".encode()) for n in sorted(names)}
        made[action.id] = Manifest(
            key,
            action.kind,
            action.task.key(),
            inputs,
            outputs[action.id],
            1.0,
            dict(made_with or environment()),
        )
        store.record(made[action.id])
    return made
