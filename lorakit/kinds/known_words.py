"""Words that a recipe's own trainings teach a model: those of the captions they learn."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from lorakit.language.recipe.documents import (
    CompareStep,
    GenerateStep,
    Recipe,
    Step,
    StoryboardStep,
    SweepStep,
    TrainImageStep,
    with_members,
)
from lorakit.language.recipe.trainings import LoraSettings, maker_of
from lorakit.language.story.documents import Storyboard
from lorakit.plan.kind import Context

_WORD = re.compile(r"[\w'-]+")


def words_of(text: str) -> list[str]:
    """The lower-case words of a prompt; what holds a digit (3d, 4k) is none."""
    return [word for written in _WORD.findall(text) if (word := _plain(written))]


@lru_cache(maxsize=8192)
def _plain(written: str) -> str:
    word = written.lower().removesuffix("'s")
    return word.strip("'-") if word.replace("'", "").replace("-", "").isalpha() else ""


def words_learnt(trainings: Iterable[TrainImageStep], context: Context) -> frozenset[str]:
    """The words of the captions that trainings learn."""
    data = {step.data for step in trainings}
    captions = (p.caption for name in data for p in context.facts.pictures[name].pictures)
    return frozenset(word for caption in captions for word in words_of(caption))


def known_words(step: GenerateStep | StoryboardStep, context: Context) -> frozenset[str]:
    """The words that the adapters of a step learn, or those of a step that it is held against.

    What is drawn without an adapter, to be seen beside what wears it, has the other's words on purpose.
    """
    if not context.facts.models[step.model].vocabulary:
        return frozenset()  # nobody asks
    recipe = context.project.recipe
    worn = {
        use.step
        for drawn in (step, *_beside(step, recipe))
        for use in getattr(drawn, "adapters", ())
    }
    boards = [board for drawn in (step, *_beside(step, recipe)) if (board := _board_of(drawn))]
    cast = [who.adapter for board in boards for who in board.characters if who.adapter]
    worn |= {maker_of(one.source)[0] for one in cast if one.file is None}
    # what a training goes on from has taught its words already
    while more := {lora.start_step for name in worn for lora in _trained_by(name, recipe)} - worn:
        worn |= more
    makers = [recipe.steps[name] for name in worn if name in recipe.steps]
    trainings = (s for s in with_members(makers) if isinstance(s, TrainImageStep))
    taught = (word for one in cast for word in words_of(one.trigger))
    return words_learnt(trainings, context) | frozenset(taught)


def _board_of(step: Step) -> Storyboard | None:
    return step.board if isinstance(step, StoryboardStep) else None


def _trained_by(name: str, recipe: Recipe) -> Iterator[LoraSettings]:
    """The adapters that go on from others, of a step and its members."""
    makers = [recipe.steps[name]] if name in recipe.steps else []
    for step in with_members(makers):
        if isinstance(step, TrainImageStep) and step.lora.start:
            yield step.lora


def _beside(step: Step, recipe: Recipe) -> Iterator[Step]:
    """What stands beside a step in a comparison or a sweep."""
    for other in recipe.steps.values():
        if isinstance(other, CompareStep) and step.name in other.of:
            yield from (recipe.steps[name] for name in other.of if name in recipe.steps)
        elif isinstance(other, SweepStep) and step.name.startswith(f"{other.name}/"):
            yield from (member.step for member in other.members)
