"""How long a unit of work takes here, learnt from what workers hand in."""

from __future__ import annotations

import time

from lorakit.plan.actions import Action
from lorakit.plan.estimate import timing_name


class Stopwatch:
    """Seconds between one result of a worker and the next, over the units of work between them."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}
        self._spent: dict[str, tuple[float, int]] = {}
        self._loads: dict[str, float] = {}

    def begin(self, slot: str) -> None:
        """A worker that was idle, or was loading, sets to work."""
        self._since[slot] = time.monotonic()

    def loaded(self, slot: str, engine: str, seconds: float) -> None:
        """A worker has loaded an engine."""
        self._loads[f"load|{engine}"] = seconds
        self.begin(slot)

    def lap(self, action: Action) -> None:
        """An action came in."""
        slot, now = action.engine.slot, time.monotonic()
        name = timing_name(action)
        seconds, units = self._spent.get(name, (0.0, 0))
        self._spent[name] = (seconds + now - self._since.get(slot, now), units + action.units)
        self._since[slot] = now

    def observed(self) -> dict[str, float]:
        """Seconds a unit, and seconds a load, by name."""
        rates = {name: s / units for name, (s, units) in self._spent.items() if units and s}
        return {**self._loads, **rates}
