"""What shows how a character looks: pictures, and frames of the same board."""

from __future__ import annotations

from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

from lorakit.diagnostics import Place
from lorakit.language.story.decisions import FrameName
from lorakit.language.yaml import access
from lorakit.records import record

if TYPE_CHECKING:
    from lorakit.language.story.controls import Find
    from lorakit.language.yaml.nodes import Node

_FRAME = "scene:"


@record
class CharacterReference:
    """A picture's `file`, or a `frame`; neither where what is written leads nowhere."""

    source: str
    file: Path | None = None
    frame: FrameName | None = None
    place: Place | None = field(default=None, compare=False, repr=False)


def references(node: Node, find: Find) -> tuple[CharacterReference, ...]:
    """The references of a character: one, or a list."""
    link = access.child(node, "reference")
    given = access.items(node, "reference") or ([link] if link is not None else [])
    return tuple(
        _reference(one, one.value, find)
        for one in given
        if isinstance(one.value, str) and one.value.strip()
    )


def _reference(node: Node, text: str, find: Find) -> CharacterReference:
    if text.startswith(_FRAME):
        name = FrameName.of(text.removeprefix(_FRAME).strip())
        return CharacterReference(text, frame=name, place=node.place)
    return CharacterReference(text, find(node, "picture"), place=node.place)
