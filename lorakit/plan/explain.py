"""Why an action is to be made again: which parameter differs, from what, to what, and where it stands."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from lorakit.diagnostics import Place
from lorakit.plan.actions import Action
from lorakit.plan.states import ParameterChange
from lorakit.store.store import Manifest

_DIGEST = re.compile("[0-9a-f]{64}")
# parameters as an author knows them, where their name in a key says too little
_SPOKEN = {
    "model": "the model",
    "adapters": "the adapters",
    "noise": "the seed",
    "precision": "the precision",
    "device_class": "the machine",
    "wave": "the batch size",
    "shots": "the pictures, holds or captions",
    "groups": "the pictures or captions",
}


def changes_between(before: Manifest, action: Action) -> tuple[ParameterChange, ...]:
    """Every parameter that differs from what was made before."""
    return changes_since(before.params, action)


def changes_since(old: Mapping[str, object], action: Action) -> tuple[ParameterChange, ...]:
    """Every parameter that differs from those of a task's key, in the action's order; those gone last."""
    changes = []
    now = action.task.key()
    for name, value in now.items():
        if name not in old or old[name] != value:
            spoken = _SPOKEN.get(name, name)
            changes.append(ParameterChange(spoken, old.get(name), value, _where(action, name)))
    changes += [
        ParameterChange(_SPOKEN.get(name, name), value, None, action.place)
        for name, value in old.items()
        if name not in now
    ]
    return tuple(changes)


def _where(action: Action, name: str) -> Place | None:
    return action.places.get(name, action.place)


def _short(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    if _DIGEST.fullmatch(text):
        return text[:8]
    return text if len(text) <= 60 else f"{text[:57]}..."


def _difference(before: str, after: str) -> tuple[str, str]:
    """The words that differ, with one word of company on each side."""
    old, new = before.split(), after.split()
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    first, rest = max(0, start - 1), max(0, end - 1)
    return " ".join(old[first : len(old) - rest]), " ".join(new[first : len(new) - rest])


def reason_of(changes: Sequence[ParameterChange]) -> str:
    """One line for a reader."""
    if not changes:
        return "one of its inputs changed"
    parts = []
    for change in changes[:2]:
        before, after = change.before, change.after
        if isinstance(before, str) and isinstance(after, str) and change.what == "prompt":
            before, after = _difference(before, after)
        if isinstance(before, list | dict) or isinstance(after, list | dict | tuple):
            parts.append(change.what)
        else:
            parts.append(f"{change.what}: {_short(before)} -> {_short(after)}")
    more = f", and {len(changes) - 2} more" if len(changes) > 2 else ""
    where = f" ({changes[0].place})" if changes[0].place else ""
    return "; ".join(parts) + more + where
