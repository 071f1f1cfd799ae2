"""Which documents stand near a path at which there is none: what its writer may have meant."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lorakit.language import document_kind

_FOLDERS = (".", "recipes", "storyboards")
_MOST = 5


def _documents() -> Iterator[Path]:
    for folder in _FOLDERS:
        for path in sorted(Path(folder).glob("*.y*ml")):
            if document_kind(path) is not None:
                yield path


def hints_for(path: Path) -> tuple[str, ...]:
    """Ways out for who names a document that is not there."""
    import difflib

    found = list(_documents())
    if not found:
        return ("`lorakit init` puts a first recipe and storyboard here",)
    names = {file.name: file for file in reversed(found)}
    close = difflib.get_close_matches(path.name, names, n=1)
    # the name that is looked for where none is given says nothing of what is meant
    if path.name != "recipe.yaml" and close:
        return (f"did you mean {names[close[0]].as_posix()}?",)
    more = f" and {len(found) - _MOST} more" if len(found) > _MOST else ""
    return (f"here are: {', '.join(file.as_posix() for file in found[:_MOST])}{more}",)
