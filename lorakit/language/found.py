"""The documents below a folder: every YAML file that is a recipe or a storyboard."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from lorakit.files import YAML_ENDINGS
from lorakit.language.loading import document_kind, is_picks
from lorakit.language.story.decisions import board_of


def documents_below(folder: Path, *, besides: Path | None = None) -> Iterator[Path]:
    """Recipes and storyboards below a folder, sorted; not in hidden folders or the one `besides`."""
    files = _yaml_below(folder, besides)
    yield from (file for file in files if document_kind(file) is not None)


def lone_picks(folder: Path) -> Iterator[Path]:
    """Files below a folder that hold decisions on a board which is not beside them."""
    for file in _yaml_below(folder, None):
        board = board_of(file)
        if board is not None and not board.exists() and is_picks(file):
            yield file


def _yaml_below(folder: Path, besides: Path | None) -> list[Path]:
    documents: list[Path] = []
    for home, folders, files in os.walk(folder):
        at = Path(home)
        folders[:] = [name for name in folders if not name.startswith(".") and at / name != besides]
        documents += [
            at / name
            for name in files
            if not name.startswith(".") and name.lower().endswith(YAML_ENDINGS)
        ]
    return sorted(documents)
