"""What a plan expected of a run, held against what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lorakit.plan.actions import Action
from lorakit.plan.states import Estimate


@dataclass(slots=True)
class Estimates:
    """The plan's estimate of the run; memory is compared of trainings, which tell how much they take.

    `memory` is the greatest peak in bytes, `expected_memory` what was expected of that training.
    """

    plan: Estimate
    memory: int = 0
    expected_memory: int = 0

    def note(self, action: Action, figures: Mapping[str, float]) -> None:
        """A training tells of a step."""
        memory = int(figures.get("memory", 0))
        if memory > self.memory:
            self.memory = memory
            self.expected_memory = int(str(action.extra.get("memory", 0)))
