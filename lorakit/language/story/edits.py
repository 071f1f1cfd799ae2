"""What is changed of a frame once it is drawn, while the rest of it stays."""

from __future__ import annotations

from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

from lorakit.diagnostics import Place
from lorakit.language.yaml import access, decode
from lorakit.language.yaml.schemas import STORYBOARD, defaults
from lorakit.records import record

if TYPE_CHECKING:
    from lorakit.language.story.controls import Find
    from lorakit.language.yaml.nodes import Node

_EDIT = defaults(STORYBOARD, "sentence", "edit")


@record
class Edit:
    """A change where the picture `file` is white, or one that an `instruction` says; empty for none.

    `prompt` is what is drawn there, empty for what the frame shows. `strength` in (0, 1] is how much of it is
    drawn anew. Frames behind it begin from it where it is `chained`, else from the frame as it was.
    """

    mask: str = ""
    prompt: str = ""
    instruction: str = ""
    strength: float = _EDIT["strength"]
    chained: bool = _EDIT["chained"]
    file: Path | None = None
    places: tuple[tuple[str, Place], ...] = field(default=(), compare=False, repr=False)

    def where(self, *keys: str) -> Place | None:
        """Where the first of some keys stands that was given."""
        given = dict(self.places)
        return next((given[key] for key in keys if key in given), None)


def edit_of(node: Node, find: Find) -> Edit | None:
    """The edit that a mapping describes."""
    if not isinstance(node.value, dict):
        return None
    link = access.child(node, "mask")
    file = find(link, "mask") if link is not None and isinstance(link.value, str) else None
    return decode.decode(Edit, node, file=file)
