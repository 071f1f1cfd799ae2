"""Where the files that ship with lorakit are: in a wheel under `_data/`, in a checkout beside the package."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_IN_WHEEL = _PACKAGE / "_data"

# name -> where it stands in a checkout; pyproject.toml maps the same places into the wheel
_CHECKOUT = {
    "schemas": "schemas",
    "recipes": "recipes",
    "storyboards": "storyboards",
    "studio": "studio/model",
    "fonts": "studio/fonts",
    "data": "data",
    "judge": "studio/judge",
}


def path(name: str) -> Path:
    """The folder of a shipped resource: schemas, recipes, storyboards, studio, fonts, data or judge."""
    inside = _IN_WHEEL / name
    return inside if inside.is_dir() else _PACKAGE.parent / _CHECKOUT[name]
