"""What a kind of step must be able to do to take part in planning."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from typing import Any, NamedTuple, Protocol, TypeVar

from lorakit.diagnostics import Diagnostic, Place
from lorakit.facts.facts import Facts
from lorakit.language.recipe.documents import Step
from lorakit.language.recipe.project import Project
from lorakit.language.story.documents import Transition
from lorakit.language.story.durations import Duration
from lorakit.language.story.motions import Motion
from lorakit.language.story.sound import SoundFile
from lorakit.plan.actions import Action
from lorakit.records import record

StepT_contra = TypeVar("StepT_contra", bound=Step, contravariant=True)


class Passing(Protocol):
    """A still that frames are drawn from on the way to another."""

    def between(
        self, other: Any, motion: Motion, number: int, id_: str, step: str, group: str
    ) -> Action:
        """The action that draws the frame `number` of those between this one and another of its kind."""


class ClipMotion(NamedTuple):
    """How the frame at an `address` moves, of `size` (width, height) px, in a `scene` that is called so.

    `still` is what it is drawn as, `clip` how a video model has it move, `upscale` how it is made larger.
    """

    motion: Motion
    size: tuple[int, int]
    address: str
    scene: str
    still: Passing | None = None
    clip: Any = None
    upscale: Any = None

    @property
    def shown(self) -> tuple[int, int]:
        """The width and height in px that it is shown at."""
        size: tuple[int, int] = self.upscale.size if self.upscale is not None else self.size
        return size


class Said(NamedTuple):
    """What is said while a sentence's picture is shown: a text by a voice (None: the film's), or a recording.

    `by_words` says whether that decides how long the picture stands, None that the film does. `at` is when in
    the film it begins.
    """

    text: str
    voice: str | None
    audio: SoundFile | None
    by_words: bool | None
    at: Duration | None
    place: Place


class Clip(NamedTuple):
    """What a film shows of a sentence: the frames it is made of, for how long, with what caption.

    `frames` are the actions that draw them, one or many; they share the clip's time. `motion` is how it
    moves; one that `continues` shows the frame before, which goes on moving. `transition` is how the film
    comes to it, None where the film says. `said` is what is heard. `drawn` is the frame as it was before it
    was made larger, empty where it was not.
    """

    frames: tuple[str, ...]
    hold: Duration | None
    caption: str
    group: str
    motion: ClipMotion | None = None
    continues: bool = False
    transition: Transition | None = None
    said: Said | None = None
    drawn: str = ""

    @property
    def picture(self) -> str:
        """The frame that stands for it."""
        return self.frames[0]

    @property
    def as_drawn(self) -> Clip:
        """It with the frame before it was made larger."""
        return self._replace(frames=(self.drawn,)) if self.drawn else self


@record
class StepPlan:
    """What a step comes to: its actions, and its pictures in order for steps that join them.

    `aspect` is what was asked of the pictures, if it was; `notes` are lines that plan and run say of it.
    `film` are the clips of its own film, with cards before and behind them.
    """

    actions: tuple[Action, ...]
    clips: tuple[Clip, ...] = ()
    aspect: tuple[int, int] | None = None
    notes: tuple[str, ...] = ()
    film: tuple[Clip, ...] = ()


@record
class Context:
    """What a kind may ask while it plans a step; `step_plans` has the steps planned before."""

    project: Project
    facts: Facts
    draft: bool = False
    step_plans: Mapping[str, StepPlan] = field(default_factory=dict)
    preview: bool = False

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
