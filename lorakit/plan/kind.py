"""What a kind of step must be able to do to take part in planning."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol, TypeVar

from lorakit.diagnostics import Diagnostic, Place
from lorakit.facts.facts import Facts
from lorakit.language.recipe.documents import Step
from lorakit.language.recipe.project import Project
from lorakit.language.story.durations import Duration
from lorakit.plan.actions import Action

StepT_contra = TypeVar("StepT_contra", bound=Step, contravariant=True)


class Clip(NamedTuple):
    """What a film shows of a sentence: the frames it is made of, for how long, with what caption.

    `frames` are the actions that draw them, one or many; they share the clip's time.
    """

    frames: tuple[str, ...]
    hold: Duration | None
    caption: str
    group: str

    @property
    def picture(self) -> str:
        """The frame that stands for it on a sheet."""
        return self.frames[0]


@dataclass(frozen=True, slots=True)
class StepPlan:
    """What a step comes to: its actions, and its pictures in order for steps that join them.

    `aspect` is what was asked of the pictures, if it was; `notes` are lines that plan and run say of it.
    """

    actions: tuple[Action, ...]
    clips: tuple[Clip, ...] = ()
    aspect: tuple[int, int] | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """What a kind may ask while it plans a step; `step_plans` has the steps planned before."""

    project: Project
    facts: Facts
    draft: bool = False
    step_plans: Mapping[str, StepPlan] = field(default_factory=dict)

    def finding(
        self, code: str, message: str, place: Place, *hints: str, warning: bool = False
    ) -> Diagnostic:
        """A diagnostic with the line of text its place stands on."""
        diagnostic = Diagnostic(code, message, place, self.project.excerpt(place), hints)
        return diagnostic.as_warning() if warning else diagnostic

    def place_of(self, word: str, place: Place) -> Place:
        """Where a word of the text at `place` stands, as far as its first line shows it."""
        line = self.project.excerpt(place) or ""
        for start in (place.column - 1, 0):
            match = re.search(rf"(?<!\w){re.escape(word)}(?!\w)", line[start:], re.IGNORECASE)
            if match:
                return replace(place, column=start + match.start() + 1, length=len(match[0]))
        return place


class Kind(Protocol[StepT_contra]):
    """One kind of step: pure, torch-free; the work itself is imported where it runs."""

    def needs(self, step: StepT_contra) -> Sequence[str]:
        """The steps that must be planned before this one."""

    def check(self, step: StepT_contra, context: Context) -> Iterable[Diagnostic]:
        """What the model, the font or the machine cannot do of what the step asks."""

    def plan(self, step: StepT_contra, context: Context) -> StepPlan:
        """The step's actions, inputs before what needs them."""
