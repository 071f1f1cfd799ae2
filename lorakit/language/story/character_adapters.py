"""The adapter that a character wears wherever it appears, and its trigger in the anchor."""

from __future__ import annotations

from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lorakit.diagnostics import Place
from lorakit.language.story.noun_phrases import with_article
from lorakit.language.story.schedules import OverFrames, schedule
from lorakit.language.yaml import access, decode
from lorakit.language.yaml.schemas import STORYBOARD, defaults
from lorakit.records import record

if TYPE_CHECKING:
    from lorakit.language.story.controls import Find
    from lorakit.language.yaml.nodes import Node

_WEIGHT = defaults(STORYBOARD, "character", "adapter")["weight"]
_ARTICLES = ("a", "an", "the")


@record
class CharacterAdapter:
    """An adapter with its `weight`, and the `trigger` that its training taught it by; empty for none.

    `source` names an adapter of the recipe, or a step that trains one, or leads to `file`. Where the weight
    changes over a scene's frames, `over` says how, and `weight` is the first.
    """

    source: str = field(default="", metadata={"key": "from"})
    weight: float = _WEIGHT
    trigger: str = ""
    file: Path | None = None
    over: OverFrames | None = None
    source_place: Place | None = field(default=None, compare=False, repr=False)

    @property
    def name(self) -> str:
        """By what the recipe knows it."""
        return self.source if self.file is None else self.file.as_posix()


def character_adapter(node: Node, find: Find) -> CharacterAdapter | None:
    """What a character wears; None for nothing."""
    given = access.child(node, "adapter")
    if given is None or not isinstance(given.value, dict):
        return None
    link, source = access.child(given, "from"), access.text(given, "from") or ""
    file = find(link, "adapter") if link is not None and _is_path(source) else None
    place = link.place if link is not None else given.place
    over = schedule(access.child(given, "weight"))
    own: dict[str, Any] = {"file": file, "source_place": place, "over": over}
    if over is not None:
        own["weight"] = over.first()
    return decode.decode(CharacterAdapter, given, **own)


def _is_path(text: str) -> bool:
    return "/" in text or ":" in text or text.endswith(".safetensors")


def with_trigger(anchor: str, trigger: str) -> str:
    """An anchor that says the trigger: a bnny white bunny."""
    trigger = " ".join(trigger.split())
    if not trigger or trigger.lower() in anchor.lower():
        return anchor
    article, _, rest = anchor.partition(" ")
    if article.lower() in _ARTICLES and rest:
        return f"{with_article(article, trigger)} {trigger} {rest}"
    return f"{trigger} {anchor}"
