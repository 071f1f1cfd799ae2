"""A project as one command reads it: the merged recipe, and what it was read from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from lorakit.diagnostics import Diagnostic, Place
from lorakit.language.recipe.documents import Recipe
from lorakit.records import record


@record
class Project:
    """Everything one command is about: the merged recipe, its folders, and the files it was read from.

    Paths of documents do not leave `root`; `home` is where outputs and the store are (language/projects.py).
    `files` are the documents in the order they were met (recipe, what it extends, storyboards);
    `lines` gives the text of a file's lines, so that later stages can point into them.
    """

    root: Path
    home: Path
    recipe: Recipe
    warnings: tuple[Diagnostic, ...]
    files: tuple[Path, ...]
    lines: Mapping[str, tuple[str, ...]] = field(repr=False, default_factory=dict)

    def excerpt(self, place: Place) -> str | None:
        """The line of text a place stands on."""
        lines = self.lines.get(place.file, ())
        return lines[place.line - 1] if 0 < place.line <= len(lines) else None
