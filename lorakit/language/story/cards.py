"""Cards before and behind a film: what stands on them, for how long, and how they look."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Literal

from lorakit.diagnostics import Place
from lorakit.language.story import durations
from lorakit.language.story.durations import Duration
from lorakit.language.yaml import decode
from lorakit.language.yaml.schemas import STORYBOARD, defaults
from lorakit.records import record

if TYPE_CHECKING:
    from lorakit.language.yaml.nodes import Node

CardStyle = Literal["dark", "light"]
_CARD = defaults(STORYBOARD, "card")


@record
class FilmCard:
    """A `text` in lines, the first of them larger; None is the story's title."""

    text: str | None = None
    seconds: Duration = durations.of(_CARD["seconds"])
    style: CardStyle = _CARD["style"]
    place: Place | None = field(default=None, compare=False, repr=False)

    @classmethod
    def decoded(cls, node: Node) -> FilmCard | None:
        """The card of a text, of true, or of a mapping; None of false."""
        if node.value is False:
            return None
        if isinstance(node.value, str):
            return cls(node.value, place=node.place)
        return decode.decode(cls, node, place=node.place)
