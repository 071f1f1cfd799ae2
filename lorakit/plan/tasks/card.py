"""The task of drawing a card that stands before or behind a film."""

from __future__ import annotations

from dataclasses import field
from typing import ClassVar

from lorakit.facts.fonts.fallbacks import Fallback
from lorakit.language.story.cards import CardStyle
from lorakit.plan.tasks.json_form import OMITTED
from lorakit.plan.tasks.task import WorkerTask
from lorakit.records import record


@record
class CardTask(WorkerTask):
    """A picture of `width` x `height` px with `lines` of text in its middle, the first of them larger.

    `fallbacks` are fonts for what the shipped one lacks of them.
    """

    kind: ClassVar[str] = "card"
    version: ClassVar[int] = 1
    noun: ClassVar[str] = "card"
    file: ClassVar[str] = "card.png"

    lines: tuple[str, ...]
    width: int
    height: int
    style: CardStyle
    fallbacks: tuple[Fallback, ...] = field(default=(), metadata=OMITTED)
