"""The tasks of laying pictures on a page."""

from __future__ import annotations

from dataclasses import field
from typing import ClassVar

from lorakit.facts.fonts.fallbacks import Fallback
from lorakit.plan.tasks.json_form import OMITTED, keyed_as
from lorakit.plan.tasks.task import WorkerTask
from lorakit.records import record

# what a sheet says beside its texts, for whoever looks for a font that has it
OWN_LETTERS = "0123456789, pictures… and more"


@record
class SheetPicture:
    """An input's picture over its caption."""

    picture: str
    caption: str


@record
class SheetRows:
    """Pictures that belong together, such as a scene's."""

    title: str
    pictures: tuple[SheetPicture, ...]


@record
class ContactSheetTask(WorkerTask):
    """All pictures of a step on one page; `fallbacks` are fonts for what the shipped one lacks."""

    kind: ClassVar[str] = "contact-sheet"
    version: ClassVar[int] = 1
    unit: ClassVar[str] = "picture"
    title: ClassVar[str] = "contact sheet"
    file: ClassVar[str] = "contact_sheet.png"

    heading: str = field(metadata=keyed_as("title"))
    groups: tuple[SheetRows, ...]
    fallbacks: tuple[Fallback, ...] = field(default=(), metadata=OMITTED)
