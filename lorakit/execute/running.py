"""A run that is going on: what it tells of itself for as long as it lives, and how far it has come."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from lorakit.execute.events import EVENTS, is_progress
from lorakit.files import open_regular
from lorakit.plan.states import Plan
from lorakit.records import record
from lorakit.store import scratch

_LAST = 5  # events that are kept
_RECENT = 500  # steps of progress that are looked at
_SHARE = 0.05  # of what was expected; before that the expectation says more than the speed does


def told(plan: Plan, folder: Path) -> dict[str, object]:
    """What a run tells of itself: where it writes, what it has to make, in how many seconds by worker."""
    return {
        "folder": str(folder),
        "pid": os.getpid(),
        "recipe": plan.recipe,
        "actions": {p.action.id: [p.action.engine.slot, p.action.units] for p in plan.to_make},
        "expected": dict(plan.estimate.by_worker),
    }


@record
class Running:
    """A run that is going on. `seconds` is its age, `left` what may be left, None where nobody can say.

    `through` of the `to_make` are, and `outcomes` counts all actions that have ended; `active` are those
    under way as (address, done, of, worker); `last` are its last events, without steps of progress.
    """

    folder: str
    recipe: str
    pid: int
    began: str
    seconds: float
    actions: int
    to_make: int
    through: int
    outcomes: Mapping[str, int]
    active: tuple[tuple[str, int, int, str], ...]
    left: float | None
    last: tuple[Mapping[str, Any], ...]


def runs_going_on(store: Path, now: float | None = None) -> list[Running]:
    """The runs that are going on in a store, the oldest first."""
    at = time.time() if now is None else now
    # one that has only just taken its place has told nothing yet
    found = [_running(one, at) for one in scratch.living(store) if one.get("folder")]
    return sorted(found, key=lambda one: one.began)


def _running(one: Mapping[str, Any], now: float) -> Running:
    folder = str(one.get("folder", ""))
    state = _State()
    try:
        with open_regular(Path(folder) / EVENTS) as lines:
            state.read(lines)
    except OSError:
        pass  # it has only just begun, or its folder was removed
    began = state.started.get("began", "")
    try:
        seconds = max(0.0, now - datetime.fromisoformat(began).timestamp())
    except ValueError:
        seconds = state.at
    return Running(
        folder=folder,
        recipe=str(one.get("recipe", "")),
        pid=int(one.get("pid", 0)),
        began=began,
        seconds=round(seconds, 1),
        actions=int(state.started.get("actions", 0)),
        to_make=int(state.started.get("to_make", 0)),
        through=len(state.ended & set(one.get("actions", ()))),
        outcomes=dict(state.outcomes),
        active=tuple((id_, *far, state.workers.get(id_, "")) for id_, far in state.active.items()),
        left=_left(one, state, seconds),
        last=tuple(state.last),
    )


class _State:
    """What the events of a run come to, so far."""

    def __init__(self) -> None:
        self.started: Mapping[str, Any] = {}
        self.at = 0.0
        self.outcomes: Counter[str] = Counter()
        self.ended: set[str] = set()
        self.active: dict[str, tuple[int, int]] = {}
        self.workers: dict[str, str] = {}  # by action
        self.last: deque[Mapping[str, Any]] = deque(maxlen=_LAST)

    def read(self, lines: Iterable[bytes]) -> None:
        recent: deque[bytes] = deque(maxlen=_RECENT)
        for line in lines:
            if is_progress(line):
                recent.append(line)  # there are many: what counts are the last of what is not over
            else:
                self._hear(line)
        for line in recent:
            self._hear(line)

    def _hear(self, line: bytes) -> None:
        # a line may be half written, or anybody's
        with contextlib.suppress(
            ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError
        ):
            self._take(json.loads(line))

    def _take(self, event: Mapping[str, Any]) -> None:
        self.at = max(self.at, float(event.get("at", 0.0)))
        id_ = str(event.get("action", ""))
        match event.get("type"):
            case "run-started":
                self.started = event
            case "action-started":
                self.active[id_] = (0, 0)
                self.workers[id_] = str(event.get("worker", ""))
            case "action-progress":
                if id_ in self.active:
                    self.active[id_] = (int(event["done"]), int(event["total"]))
                return
            case "action-finished":
                self.outcomes[event["outcome"]] += 1
                self.ended.add(id_)
                self.active.pop(id_, None)
                if event["outcome"] == "cached":
                    return
        if event and event.get("type") not in ("run-started", "action-started"):
            self.last.append(event)


def _left(one: Mapping[str, Any], state: _State, seconds: float) -> float | None:
    """Seconds that are left: what was expected of the rest, at the pace that the run has had."""
    todo, expected = one.get("actions"), one.get("expected")
    if not isinstance(todo, dict) or not isinstance(expected, dict):
        return None
    units: Counter[str] = Counter()
    through: Counter[str] = Counter()
    for id_, (slot, count) in todo.items():
        units[slot] += count
        if id_ in state.ended:
            through[slot] += count
        elif id_ in state.active:
            done, of = state.active[id_]
            through[slot] += int(count * done / of) if of else 0
    shares = {slot: through[slot] / count for slot, count in units.items() if count}
    past = sum(float(expected.get(slot, 0)) * share for slot, share in shares.items())
    whole = sum(float(expected.get(slot, 0)) for slot in shares)
    if not whole:
        return None
    pace = seconds / past if past > whole * _SHARE else 1.0
    return round(max(0.0, whole - past) * pace, 1)


def still_runs(pid: int) -> Callable[[], bool]:
    """What says whether the process that has this number now goes on; one that nobody waited for is over.

    Another that is given the number later is not taken for it.
    """
    import psutil

    try:
        process = psutil.Process(pid)
    except psutil.Error:
        return lambda: False

    def runs() -> bool:
        with contextlib.suppress(psutil.Error):
            return bool(process.is_running()) and process.status() != psutil.STATUS_ZOMBIE
        return False

    return runs
