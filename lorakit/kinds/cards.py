"""The cards of a film: pictures of text before and behind it, clips like others, in which nothing is said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from lorakit.diagnostics import Place
from lorakit.kinds.sheet import ASSEMBLY
from lorakit.kinds.spoken import TimedWords
from lorakit.language.story.documents import Video
from lorakit.plan.actions import Action
from lorakit.plan.cost import Cost
from lorakit.plan.kind import Clip

if TYPE_CHECKING:
    from lorakit.facts.fonts.font_files import Face
    from lorakit.language.story.cards import FilmCard


class FilmCards(NamedTuple):
    """The `actions` that draw a film's cards, and its clips with them."""

    actions: tuple[Action, ...]
    clips: tuple[Clip, ...]


def with_cards(
    step: str,
    title: str,
    clips: Sequence[Clip],
    video: Video,
    size: tuple[int, int],
    face: Face | None,
) -> FilmCards:
    """The clips of a film of `size` px between its cards; of each scene that is next to one it is a part."""
    actions: list[Action] = []

    def clip(card: FilmCard, name: str, beside: Clip) -> Clip:
        action = _card(step, title, card, name, size, face)
        actions.append(action)
        return Clip((action.id,), card.seconds, "", beside.group)

    first = [clip(video.title, "title", clips[0])] if video.title and clips else []
    last = [clip(video.end, "end", clips[-1])] if video.end and clips else []
    return FilmCards(tuple(actions), (*first, *clips, *last))


def between_cards(words: Sequence[TimedWords], video: Video) -> list[TimedWords]:
    """How long clips last and what is said in them, with the cards, which say nothing."""
    first = [(video.title.seconds, None)] if video.title else []
    last = [(video.end.seconds, None)] if video.end else []
    return [*first, *words, *last]


def card_texts(title: str, video: Video) -> Iterator[tuple[str, Place]]:
    """What stands on a film's cards, and where that is written."""
    for card in (video.title, video.end):
        if card is not None and card.place is not None:
            yield " ".join(_lines(card, title)), card.place


def _lines(card: FilmCard, title: str) -> tuple[str, ...]:
    text = title if card.text is None else card.text
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def _card(
    step: str, title: str, card: FilmCard, name: str, size: tuple[int, int], face: Face | None
) -> Action:
    from lorakit.facts.fonts.fallbacks import fallbacks
    from lorakit.plan.tasks.card import CardTask

    lines = _lines(card, title)
    return Action(
        id=f"{step}/film_{name}",
        step=step,
        group="cards",
        label=f"{name} card",
        place=card.place,
        engine=ASSEMBLY,
        task=CardTask(lines, *size, card.style, fallbacks(lines, face)),
        cost=Cost(CardTask.kind, seconds=0.02, disk=20_000),
        files={"picture": (f"{step}/cards/{name}.png",)},
    )
