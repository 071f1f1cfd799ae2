"""Adapters as a recipe names them, and as its steps wear them."""

from __future__ import annotations

from pathlib import Path

from lorakit.diagnostics import Place
from lorakit.language.recipe.trainings import (
    maker_of,
)
from lorakit.language.story.schedules import OverFrames
from lorakit.records import record


@record
class AdapterSource:
    """An adapter made elsewhere: one safetensors file, or a folder that holds one."""

    name: str
    path: Path
    place: Place


@record
class AdapterUse:
    """An adapter as a step wears it, with its adapter weight.

    `ranks.best` is a sweep's best, `style.step_200` what a training had come to after 200 optimizer steps.

    `from_file` tells one made elsewhere from a step of the same name. Where the weight changes over a scene's
    frames, `over` says how, and `weight` is the first.
    """

    name: str
    weight: float
    place: Place
    from_file: bool = False
    over: OverFrames | None = None

    @property
    def step(self) -> str:
        """The step that makes it; empty for none."""
        return "" if self.from_file else maker_of(self.name)[0]

    @property
    def output(self) -> str:
        """Which of the step's outputs it is."""
        return maker_of(self.name)[1]
