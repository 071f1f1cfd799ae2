"""The documents below a folder: every YAML file that is a recipe or a storyboard."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from lorakit.files import YAML_ENDINGS
from lorakit.language.loading import document_kind


def documents_below(folder: Path, *, besides: Path | None = None) -> Iterator[Path]:
    """Recipes and storyboards below a folder, sorted; not in hidden folders or the one `besides`."""
    documents: list[Path] = []
    for home, folders, files in os.walk(folder):
        at = Path(home)
        folders[:] = [name for name in folders if not name.startswith(".") and at / name != besides]
        documents += [
            at / name
            for name in files
            if not name.startswith(".") and name.lower().endswith(YAML_ENDINGS)
        ]
    yield from (file for file in sorted(documents) if document_kind(file) is not None)
