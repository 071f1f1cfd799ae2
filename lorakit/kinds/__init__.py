"""The kinds of steps: one file each, and one line in this table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lorakit.kinds.compare import Comparisons
from lorakit.kinds.generate import Generate
from lorakit.kinds.storyboard import Storyboards
from lorakit.kinds.train_text import TrainTexts
from lorakit.kinds.video import Videos
from lorakit.language.documents import (
    CompareStep,
    GenerateStep,
    Step,
    StoryboardStep,
    TrainTextStep,
    VideoStep,
)
from lorakit.plan.kind import Kind

KINDS: Mapping[type[Step], Kind[Any]] = {
    GenerateStep: Generate(),
    StoryboardStep: Storyboards(),
    VideoStep: Videos(),
    TrainTextStep: TrainTexts(),
    CompareStep: Comparisons(),
}


def kind_of(step: Step) -> Kind[Any]:
    """The kind that plans a step."""
    return KINDS[type(step)]
