"""What a plan expected of a run, held against what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lorakit.plan.actions import Action
from lorakit.plan.estimate import counted_memory, memory_name, peak_memory


@dataclass(slots=True)
class Estimates:
    """Peaks of memory that trainings tell, in bytes, beside what the plan expected of them.

    `memory` is the greatest peak, `expected_memory` what was expected of that training. Each process that
    shares a training takes what the first one tells.
    """

    timings: Mapping[str, float]
    memory: int = 0
    expected_memory: int = 0
    _shares: dict[str, float] = field(default_factory=dict)

    def note(self, action: Action, figures: Mapping[str, float]) -> None:
        """A training tells of a step."""
        memory = int(figures.get("memory", 0))
        if not memory:
            return
        name = memory_name(action)
        share = memory / counted_memory(action)
        self._shares[name] = max(share, self._shares.get(name, 0))
        whole = memory * action.cost.processes
        if whole > self.memory:
            self.memory = whole
            self.expected_memory = peak_memory(action, self.timings)

    def observed(self) -> dict[str, float]:
        """Shares of what was counted, by the names that estimates look for."""
        return dict(self._shares)
