"""How long a unit of work takes here, learnt from what workers hand in."""

from __future__ import annotations

import time

from lorakit.plan.actions import Action
from lorakit.plan.estimate import begin_name
from lorakit.plan.workers import WORKERS


class Stopwatch:
    """Seconds between one result of a worker and the next, over the units of work between them."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}
        self._spent: dict[str, tuple[float, int]] = {}
        self._loads: dict[str, float] = {}
        self._marks: dict[str, list[tuple[float, int]]] = {}

    def begin(self, worker: str) -> None:
        """A worker of that name, which was idle or was loading, sets to work."""
        self._since[worker] = time.monotonic()

    def loaded(self, worker: str, engine: str, seconds: float) -> None:
        """A worker has loaded an engine; in no seconds where its weights were there before."""
        if seconds:
            self._loads[f"load|{engine}"] = seconds
        self.begin(worker)

    def progress(self, action: str, done: int, seconds: float | None = None) -> None:
        """So many units of an action are through: the first and the last that were told are kept.

        `seconds` is what its units alone took so far, where it is told; else the time between counts.
        """
        marks = self._marks.setdefault(action, [])
        mark = (time.monotonic() if seconds is None else seconds, done)
        marks[1:] = [mark] if marks else []
        if not marks:
            marks.append(mark)

    def lap(self, action: Action, worker: str = "") -> None:
        """An action came in, from a worker of that name, or from the only one of its kind."""
        slot, now = action.engine.slot, time.monotonic()
        name = action.cost.timing
        spent = now - self._since.get(worker or slot, now)
        self._since[worker or slot] = now
        marks = self._marks.pop(action.id, [])
        if WORKERS[slot].begin and len(marks) == 2 and marks[1][1] > marks[0][1]:
            # begin and end, evaluations and checkpoints take as long whatever a training's length
            (first, some), (last, most) = marks
            steps = (last - first) / (most - some) * action.units
            self._loads[begin_name(action)] = max(0.0, spent - steps)
            spent = min(spent, steps)
        seconds, units = self._spent.get(name, (0.0, 0))
        self._spent[name] = (seconds + spent, units + action.units)

    def observed(self) -> dict[str, float]:
        """Seconds a unit, and seconds a load, by name."""
        rates = {name: s / units for name, (s, units) in self._spent.items() if units and s}
        return {**self._loads, **rates}
