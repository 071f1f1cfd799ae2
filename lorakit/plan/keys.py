"""The key of an action: what decides its result, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping

from lorakit.plan.actions import Action
from lorakit.store.canonical import digest_of


def action_key(action: Action, inputs: Mapping[str, str]) -> str:
    """SHA-256 over kind, version, parameters, and inputs by role and content digest."""
    return digest_of(
        {
            "kind": action.kind,
            "version": action.version,
            "params": action.params,
            "inputs": inputs,
        }
    )
