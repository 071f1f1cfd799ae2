"""What another tool drew, made to fit the model that is to draw it here: whatever cannot be is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lorakit.diagnostics import Place, shortened
from lorakit.doors.generations import Generation
from lorakit.facts.files.digests import Unread
from lorakit.facts.models.model_configs import ModelError
from lorakit.facts.models.model_facts import ModelFacts
from lorakit.facts.models.model_lookup import model_facts
from lorakit.facts.models.single_file_configs import tokenizer_folder
from lorakit.facts.models.tokens import TokenCounter
from lorakit.facts.networks.text_encoders import clip_skip_limit
from lorakit.language.recipe.documents import ModelSource

_NOTHING = "a picture"  # what stands where a prompt is empty


def facts_of(source: str) -> ModelFacts | None:
    """The facts of a model, without weights and downloads; None where it cannot be used."""
    try:
        return model_facts(ModelSource("model", source, "auto", Place("", 1, 1)), Unread())
    except (ModelError, OSError):
        return None


def fitted(all_: Sequence[Generation], facts: ModelFacts) -> list[Generation]:
    """The same with sizes, layers and prompts that this model can draw with."""
    folder, marks = facts.tokenizer or tokenizer_folder(), facts.words.marks
    counter = TokenCounter(folder, facts.token_limit, marks=marks)
    most = clip_skip_limit(facts.text_shapes, facts.traits)
    made = []
    for one in all_:
        new = replace(one, notes=list(one.notes))
        _fit_size(new, facts)
        if most is not None and new.clip_skip > most:
            new.notes.append(f"clip skip of {new.clip_skip}: {facts.source} has too few layers")
            new.clip_skip = most
        new.prompt = _cut(new, "prompt", new.prompt, counter)
        new.negative_prompt = _cut(new, "negative prompt", new.negative_prompt, counter)
        if not new.prompt:
            new.prompt = _NOTHING
            new.notes.append("the prompt is empty, which a recipe's cannot be")
        made.append(new)
    return made


def _fit_size(made: Generation, facts: ModelFacts) -> None:
    if made.width is None or made.height is None:
        made.width = made.height = None
        return
    sides, unit = (made.width, made.height), facts.vae_factor
    near = tuple(max(unit, side // unit * unit) for side in sides)
    native = facts.native
    if min(near) * 2 < min(native) or max(near) > 4 * max(native):
        made.notes.append(
            f"width: {sides[0]}, height: {sides[1]}: too far from the {native[0]}x{native[1]} that "
            f"{facts.source} was trained at"
        )
        made.width = made.height = None
        return
    if near != sides:
        made.notes.append(f"{sides[0]}x{sides[1]}: sides are multiples of {unit}")
    made.width, made.height = near


def _cut(made: Generation, what: str, text: str, counter: TokenCounter) -> str:
    over = counter.overflow([text])
    if text not in over:
        return text
    _, lost = over[text]
    made.notes.append(f"the end of the {what}, over {counter.limit} tokens: {shortened(lost, 120)}")
    return text[: text.rindex(lost)].rstrip(" ,") if lost in text else text
