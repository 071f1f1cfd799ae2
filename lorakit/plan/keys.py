"""The key of an action: what decides its result, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping

from lorakit.plan.actions import Action
from lorakit.store.canonical import digest_of


def action_key(action: Action, inputs: Mapping[str, str]) -> str:
    """SHA-256 over kind, version, the task's key, and inputs by role and content digest."""
    task = action.task
    return digest_of(
        {"kind": task.kind, "version": task.made_by, "params": task.key(), "inputs": inputs}
    )
