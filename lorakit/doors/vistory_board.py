"""Stories of ViStoryBench as boards, and a recipe that draws them all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import count
from pathlib import Path, PurePosixPath
from typing import Any

from lorakit.doors.bench_story import BenchStory, StoryCharacter, StoryShot
from lorakit.doors.written import Quoted, as_yaml

SHOTS = "shot "  # scenes are called by the index of their first shot, from which export counts on
_MOST_REFERENCES = 3  # as many as a character has


def documents(stories: Sequence[BenchStory], name: str) -> dict[str, str]:
    """The recipe `NAME.yaml` and a board `NAME/ID.yaml` for each story, by their paths."""
    steps = {
        f"story_{one.id}": {"kind": "storyboard", "storyboard": Quoted(f"{name}/{one.id}.yaml")}
        for one in stories
    }
    head = (
        "# Imported from ViStoryBench by lorakit import.\n"
        "# lorakit's small model draws unless models: names another, as models: {model: {from: …}}.\n"
        f"# Drawn, they are scored after lorakit export vistory {name}.yaml.\n"
    )
    files = {f"{name}.yaml": head + as_yaml({"recipe": 1, "steps": steps})}
    for one in stories:
        files[f"{name}/{one.id}.yaml"] = as_yaml(_board(one))
    return files


def pictures(stories: Sequence[BenchStory], name: str) -> dict[str, Path]:
    """The pictures of characters that boards name, by the paths that they are copied to."""
    return {
        (PurePosixPath(name) / path).as_posix(): file
        for story in stories
        for one, id_ in zip(story.characters, _ids(story), strict=True)
        for path, file in _references(story, one, id_).items()
    }


def _board(story: BenchStory) -> dict[str, Any]:
    ids = _ids(story)
    characters = {
        id_: {
            "anchor": Quoted(_plain(one.prompt).rstrip(".\u3002") or one.prompt),
            **_reference(story, one, id_),
        }
        for one, id_ in zip(story.characters, ids, strict=True)
    }
    names = {one.key: (one.name, id_) for one, id_ in zip(story.characters, ids, strict=True)}
    scenes: list[dict[str, Any]] = []
    before: StoryShot | None = None
    for shot in sorted(story.shots, key=lambda one: one.index):
        same = before and before.setting == shot.setting and before.index + 1 == shot.index
        if not same:
            scenes.append({"name": f"{SHOTS}{shot.index}", "sentences": []})
        scenes[-1]["sentences"].append(_sentence(shot, names))
        before = shot
    board: dict[str, Any] = {"storyboard": 1, "title": Quoted(f"ViStory {story.id}")}
    if characters:
        board["characters"] = characters
    return {**board, "scenes": scenes}


def _sentence(shot: StoryShot, names: dict[str, tuple[str, str]]) -> dict[str, Any]:
    """A shot in the order in which the benchmark's loader joins its parts, characters by their ids."""
    who = [f"{_escaped(names[key][0])} is {{{names[key][1]}}}" for key in shot.appearing]
    told = [_part(part) for part in (shot.camera, shot.plot, shot.description)]
    parts = [*told, *who, _part(shot.setting)]
    return {
        "text": Quoted(_escaped(_plain(shot.plot or shot.description)[:2000])),
        "prompt": Quoted("; ".join(part for part in parts if part)),
    }


def _ids(story: BenchStory) -> list[str]:
    """What a board calls characters: `little_rabbit_1`, `tom_1`.

    With a number in it no sentence means it by chance: who is seen in a shot is the benchmark's word.
    """
    ids: list[str] = []
    for one in story.characters:
        plain = re.sub(r"\W+", "_", one.key.casefold()).strip("_")[:60].rstrip("_")
        plain = plain if plain[:1].isalpha() else f"character_{plain}".rstrip("_")
        ids.append(next(id_ for n in count(1) if (id_ := f"{plain}_{n}") not in ids))
    return ids


def _reference(story: BenchStory, one: StoryCharacter, id_: str) -> dict[str, Any]:
    paths = [Quoted(path) for path in _references(story, one, id_)]
    return {"reference": paths if len(paths) > 1 else paths[0]} if paths else {}


def _references(story: BenchStory, one: StoryCharacter, id_: str) -> dict[str, Path]:
    """A character's first pictures by their paths from its board."""
    return {
        f"{story.id}/{id_}_{number:02d}{file.suffix.lower()}": file
        for number, file in enumerate(one.pictures[:_MOST_REFERENCES])
    }


def _plain(text: str) -> str:
    return " ".join(text.split())


def _part(text: str) -> str:
    """A part of a prompt: without the full stop, since a ; follows."""
    return _escaped(_plain(text).rstrip(".\u3002"))


def _escaped(text: str) -> str:
    """A text whose braces mean nobody."""
    return text.replace("{", "{{").replace("}", "}}")
