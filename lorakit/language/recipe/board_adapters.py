"""The files of adapters that characters of storyboards wear, as a recipe's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from lorakit.language.recipe.adapters import AdapterSource

if TYPE_CHECKING:
    from lorakit.language.story.documents import Storyboard


def board_adapters(boards: Iterable[Storyboard]) -> Mapping[str, AdapterSource]:
    """Each by its path, which no name of a recipe is."""
    worn = (who.adapter for board in boards for who in board.characters)
    return {
        one.name: AdapterSource(one.name, one.file, one.source_place)
        for one in worn
        if one is not None and one.file is not None and one.source_place is not None
    }
