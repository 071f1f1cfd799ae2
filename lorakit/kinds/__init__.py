"""The kinds of steps: one file each, and one line in this table."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Mapping
from typing import Any

from lorakit.language.recipe.documents import (
    CompareStep,
    GenerateStep,
    Step,
    StoryboardStep,
    SweepStep,
    TrainImageStep,
    TrainTextStep,
    VideoStep,
)
from lorakit.plan.kind import Kind

# by name, so that a recipe imports only the kinds it has
KINDS: Mapping[type[Step], str] = {
    GenerateStep: "lorakit.kinds.generate:Generate",
    StoryboardStep: "lorakit.kinds.storyboard:Storyboards",
    VideoStep: "lorakit.kinds.video:Videos",
    TrainTextStep: "lorakit.kinds.train_text:TrainTexts",
    TrainImageStep: "lorakit.kinds.train_image:TrainImages",
    CompareStep: "lorakit.kinds.compare:Comparisons",
    SweepStep: "lorakit.kinds.sweep:SweepMembers",
}


def kind_of(step: Step) -> Kind[Any]:
    """The kind that plans a step."""
    return _imported(KINDS[type(step)])


@functools.cache
def _imported(name: str) -> Kind[Any]:
    module, _, kind = name.partition(":")
    imported: Kind[Any] = getattr(importlib.import_module(module), kind)()
    return imported
