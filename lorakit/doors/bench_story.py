"""A story of a benchmark, once it is read: who appears, and its shots."""

from __future__ import annotations

from pathlib import Path

from lorakit.diagnostics import Diagnostic
from lorakit.records import record


@record
class StoryCharacter:
    """Who appears: `key` in the data set, name and looks in the language asked for, pictures in order."""

    key: str
    name: str
    prompt: str
    pictures: tuple[Path, ...]


@record
class StoryShot:
    """A shot by its `index`, under which its picture is scored; `appearing` are keys of characters."""

    index: int
    plot: str
    setting: str
    camera: str
    description: str
    appearing: tuple[str, ...]


@record
class BenchStory:
    """A story called `id`, the name of its folder, and what of it the benchmark passes over."""

    id: str
    characters: tuple[StoryCharacter, ...]
    shots: tuple[StoryShot, ...]
    warnings: tuple[Diagnostic, ...] = ()
