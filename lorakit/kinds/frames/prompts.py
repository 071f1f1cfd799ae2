"""The words that frames are drawn from: how they are read, and what can be wrong with them.

Families that read with CLIP alone know weights, and read what is over its 77 tokens in chunks (compel does
both, see models/weighted_embeds.py); others have neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from lorakit.diagnostics import Diagnostic, Place, shortened
from lorakit.facts.models.model_facts import ModelFacts
from lorakit.facts.models.tokens import Chunks
from lorakit.kinds.frames.settings import RenderSettings
from lorakit.kinds.known_words import words_of
from lorakit.language.story import weights
from lorakit.language.story.documents import ImageSettings, Sentence, Storyboard

MOST_CHUNKS = 3  # what is said behind them is hardly seen
_LISTED = 4  # long prompts that a note names
EncodedBy = Literal["", "compel"]


class Told(NamedTuple):
    """A text that a frame is drawn from, and where it stands."""

    text: str
    place: Place


def encoded_by(settings: RenderSettings, look: ImageSettings, prompt: str) -> EncodedBy:
    """What makes a frame's embeds: nothing beside its pipeline where all words weigh alike, and fit."""
    if not _weighs(settings.model):
        return ""
    beyond = _beyond_diffusers(settings, prompt) or (
        settings.guided(look) and _beyond_diffusers(settings, look.negative_prompt)
    )
    return "compel" if beyond else ""


def _beyond_diffusers(settings: RenderSettings, text: str) -> bool:
    return weights.weighted(text) or _long(settings, text)


def _weighs(model: ModelFacts) -> bool:
    return model.traits.clip_layers is not None


def check_masks(settings: RenderSettings, board: Storyboard) -> Iterator[Diagnostic]:
    """Prompts in chunks, where attention is to see a character by the place that its words have in one."""
    if not settings.model.traits.waves:
        return
    for scene in board.scenes:
        for one in scene.sentences if scene.chain.mask == "character" else ():
            if one.characters and not one.repeat and _long(settings, one.prompt):
                yield settings.context.finding(
                    "prompt",
                    f"mask: character is for prompts that {settings.model.source} reads at once, and this "
                    "one is read in chunks",
                    one.place,
                    "shorten it, or write chain: {mask: none} for this scene",
                )


def _long(settings: RenderSettings, text: str) -> bool:
    counter = settings.context.facts.counters.get(settings.model.name)
    return counter is not None and not counter.fits(weights.plain(text))


def _chunks(settings: RenderSettings, text: str) -> Chunks:
    counter = settings.context.facts.counters[settings.model.name]
    if not weights.weighted(text):
        return counter.chunks([weights.plain(text)])
    return counter.chunks([piece.text for piece in weights.pieces(text) if piece.text.strip()])


def chunk_notes(settings: RenderSettings, prompts: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Which prompts, (name, text) each, are read in chunks."""
    if not _weighs(settings.model):
        return
    read = [(name, _chunks(settings, text)) for name, text in prompts if _long(settings, text)]
    told = [f"{name} ({one.tokens} tokens, read in {len(one.texts)} chunks)" for name, one in read]
    if not told:
        return
    limit = f"over {settings.model.token_limit} tokens"
    more = len(told) - _LISTED
    yield f"{limit}: {', '.join(told[:_LISTED])}" + (f" and {more} more" if more > 0 else "")


def check_prompts(
    settings: RenderSettings,
    prompts: Iterable[tuple[str, Place]],
    known: frozenset[str],
    parts: Iterable[tuple[str, Place | None]] = (),
    negatives: Iterable[tuple[str, Place]] = (),
) -> Iterator[Diagnostic]:
    """Prompts that are too long and weights that a model cannot read are errors; unknown words are named.

    Not those that are `known` to its adapters. `parts` are texts that prompts are put together
    from, such as the style: a word of theirs is told where they stand. `negatives` are negative prompts.
    """
    given = [Told(*one) for one in prompts]
    told = [*given, *(Told(*one) for one in negatives if settings.model.traits.negative)]
    shared = [Told(text, place) for text, place in parts if place is not None]
    if _weighs(settings.model):
        counter = settings.context.facts.counters.get(settings.model.name)
        if counter is not None:
            counter.count_all(weights.plain(text) for text, _ in told)
        yield from _too_many_chunks(settings, told)
    else:
        yield from _no_weights(settings, [*shared, *told])
        yield from _too_long(settings, told)
    seen = [Told(weights.plain(text), place) for text, place in given]
    yield from _unknown_words(settings, seen, known, shared)


def _too_many_chunks(settings: RenderSettings, told: Sequence[Told]) -> Iterator[Diagnostic]:
    for text, place in told:
        if not _long(settings, text):
            continue
        read = _chunks(settings, text)
        if len(read.texts) > MOST_CHUNKS:
            lost = " ".join(read.texts[MOST_CHUNKS:])
            yield settings.context.finding(
                "prompt-too-long",
                f"the prompt has {read.tokens} tokens, {settings.model.source} reads "
                f"{settings.model.token_limit} at once, and {MOST_CHUNKS} chunks of them: "
                f"'{shortened(lost)}' would fall off",
                place,
                f"the prompt: {weights.plain(text)}",
                "shorten the sentence, the anchor, the style or the setting",
            )


def _too_long(settings: RenderSettings, told: Sequence[Told]) -> Iterator[Diagnostic]:
    counter = settings.context.facts.counters.get(settings.model.name)
    over = counter.overflow([text for text, _ in told]) if counter else {}
    for text, place in told if over else ():
        if text in over:
            tokens, lost = over[text]
            yield settings.context.finding(
                "prompt-too-long",
                f"the prompt has {tokens} tokens, {settings.model.source} reads "
                f"{settings.model.token_limit}: "
                f"'{shortened(lost)}' would fall off",
                place,
                f"the prompt: {text}",
                "shorten the sentence, the anchor, the style or the setting",
            )


def _no_weights(settings: RenderSettings, told: Sequence[Told]) -> Iterator[Diagnostic]:
    """Each weight once, where it stands: those of the style and of anchors are in many prompts."""
    found: set[str] = set()
    for text, place in told:
        for weight in weights.weights(text):
            written = text[weight.start : weight.end]
            if written in found:
                continue
            found.add(written)
            model = settings.model
            yield settings.context.finding(
                "prompt-weight",
                f"{written} weighs words, which {model.source} does not read: weights are for models that "
                f"read with CLIP alone, and it is {model.traits.title}",
                settings.context.place_of(written, place),
                f"write {weights.plain(written)}, and say more of it: {model.traits.title} reads sentences",
            )


def _unknown_words(
    settings: RenderSettings,
    given: Sequence[tuple[str, Place]],
    known: frozenset[str],
    parts: Iterable[tuple[str, Place | None]],
) -> Iterator[Diagnostic]:
    vocabulary = settings.model.vocabulary
    if not vocabulary or not given:
        return
    first: dict[str, Place] = {}
    for text, place in given:
        for word in words_of(text):
            if word not in vocabulary and word not in known:
                first.setdefault(word, place)
    for text, at in parts if first else ():
        for word in words_of(text):
            if word in first and at is not None:
                first[word] = at
    if first:
        words = [(settings.context.place_of(word, at), word) for word, at in first.items()]
        first = {word: at for at, word in sorted(words)}
        place = next(iter(first.values()))
        listed = ", ".join(
            f"{word} (line {where.line})" for word, where in list(first.items())[:12]
        )
        more = f" and {len(first) - 12} more" if len(first) > 12 else ""
        yield settings.context.finding(
            "unknown-words",
            f"{settings.model.source} has never seen: {listed}{more}",
            place,
            "it draws the rest; `lorakit plan --frames` shows the whole prompts",
            warning=True,
        )


def check_plain_words(
    settings: RenderSettings, sentence: Sentence, prompt: str, place: Place
) -> Iterator[Diagnostic]:
    """Weights of words, and more than is read at once, where a whole pipeline of diffusers draws."""
    if encoded_by(settings, sentence.look, prompt):
        yield settings.context.finding(
            "prompt",
            "a frame that a ControlNet holds, that sees references through an IP-Adapter, or that is painted "
            "into, is drawn by diffusers' own pipeline, which knows no weights of words, and reads no more "
            "than its text encoder at once",
            place,
            "write the words without weights, or fewer of them",
        )
