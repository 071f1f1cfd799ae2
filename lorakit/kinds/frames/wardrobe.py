"""What frames wear: a step's adapters, and those of the characters who are in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from lorakit.diagnostics import Diagnostic
from lorakit.kinds.adapter_checks import check_adapters
from lorakit.kinds.frames.settings import RenderSettings, render_settings
from lorakit.language.recipe.adapters import AdapterUse
from lorakit.language.recipe.documents import StoryboardStep, TrainImageStep
from lorakit.language.recipe.trainings import maker_of
from lorakit.language.story.documents import Character, Scene
from lorakit.language.yaml import names
from lorakit.plan.kind import Context


@dataclass
class Wardrobe:
    """The settings that frames of a step are drawn with, by what they wear; each settled once."""

    step: StoryboardStep
    context: Context
    _settled: dict[tuple[tuple[str, float], ...], RenderSettings] = field(default_factory=dict)

    @cached_property
    def changes(self) -> bool:
        """Whether not all frames wear the same."""
        own = any(who.adapter is not None for who in self.step.board.characters)
        return own or any(use.over is not None for use in self.step.adapters)

    def settings(
        self, characters: Sequence[str] = (), scene: Scene | None = None, number: int = 1
    ) -> RenderSettings:
        """What a frame with these characters is drawn with, a scene's of this number from 1 on.

        Without a scene weights are the first of those that change.
        """
        if not self.changes:
            return self._usual
        there = [who for who in self.step.board.characters if who.id in characters and who.adapter]
        own = {use.name: use for use in (use_of(who, self.context) for who in there)}
        uses = [*(use for use in self.step.adapters if use.name not in own), *own.values()]
        if scene is not None:
            drawn = [n for n, one in enumerate(scene.sentences, 1) if not one.repeat] or [1]
            uses = [_at(use, number, drawn) for use in uses]
        worn = tuple((use.name, use.weight) for use in uses)
        if worn not in self._settled:
            settled = render_settings(self.step.model, uses, self.context, rewears=True)
            self._settled[worn] = settled
        return self._settled[worn]

    @cached_property
    def _usual(self) -> RenderSettings:
        """What all frames wear, where none wears anything else."""
        return render_settings(self.step.model, self.step.adapters, self.context)


def _at(use: AdapterUse, number: int, drawn: Sequence[int]) -> AdapterUse:
    """What a frame wears, with the weight that it has there."""
    return use if use.over is None else replace(use, weight=float(use.over.at(number, drawn)))


def use_of(character: Character, context: Context) -> AdapterUse:
    """What a character wears, as a step would wear it."""
    worn = character.adapter
    assert worn is not None
    known = worn.name in context.project.recipe.adapters
    place = worn.source_place or character.place
    return AdapterUse(worn.name, worn.weight, place, known, worn.over)


def trained_for(step: StoryboardStep) -> Iterator[str]:
    """The steps that may train what its characters wear."""
    for who in step.board.characters:
        if who.adapter is not None and who.adapter.file is None:
            yield maker_of(who.adapter.source)[0]


def check_wardrobe(step: StoryboardStep, context: Context) -> Iterator[Diagnostic]:
    """What a character wears must be there, and fit the model."""
    recipe = context.project.recipe
    trained = [name for name, one in recipe.steps.items() if isinstance(one, TrainImageStep)]
    for who in step.board.characters:
        if who.adapter is None:
            continue
        worn, use = who.adapter, use_of(who, context)
        made = use.step in trained or worn.source.removesuffix(".best") in recipe.steps
        if worn.file is None and not use.from_file and not made:
            known = [*(n for n in recipe.adapters if "/" not in n), *trained]
            yield context.finding(
                "unknown-adapter",
                f"the recipe has no adapter {worn.source}, and no step that trains it",
                use.place,
                names.did_you_mean(worn.source, known)
                or (f"there is {names.listed(known)}, or " if known else "")
                + f"give the path of a file: from: {worn.source}.safetensors",
            )
            continue
        yield from check_adapters([use], step.model, context)
