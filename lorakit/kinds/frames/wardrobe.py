"""What frames wear: a step's adapters, and those of the characters who are in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from lorakit.diagnostics import Diagnostic
from lorakit.kinds.adapter_checks import check_adapters
from lorakit.kinds.frames.settings import RenderSettings, render_settings
from lorakit.language.recipe.documents import AdapterUse, StoryboardStep, TrainImageStep
from lorakit.language.recipe.trainings import maker_of
from lorakit.language.story.documents import Character
from lorakit.language.yaml import names
from lorakit.plan.kind import Context


@dataclass(slots=True)
class Wardrobe:
    """The settings that frames of a step are drawn with, by who is in them; each settled once."""

    step: StoryboardStep
    context: Context
    _settled: dict[tuple[str, ...], RenderSettings] = field(default_factory=dict)

    def settings(self, characters: Sequence[str] = ()) -> RenderSettings:
        """What a frame with these characters is drawn with."""
        there = [who for who in self.step.board.characters if who.id in characters and who.adapter]
        names_ = tuple(who.id for who in there)
        if names_ not in self._settled:
            own = {use.name: use for use in (use_of(who, self.context) for who in there)}
            shared = [use for use in self.step.adapters if use.name not in own]
            uses = [*shared, *own.values()]
            self._settled[names_] = render_settings(self.step.model, uses, self.context)
        return self._settled[names_]


def use_of(character: Character, context: Context) -> AdapterUse:
    """What a character wears, as a step would wear it."""
    worn = character.adapter
    assert worn is not None
    known = worn.name in context.project.recipe.adapters
    return AdapterUse(worn.name, worn.weight, worn.source_place or character.place, known)


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
