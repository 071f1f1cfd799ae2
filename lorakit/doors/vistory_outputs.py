"""A run's frames where ViStoryBench's evaluator looks for them (`dataset_loader/read_outputs.py`).

`METHOD/MODE/LANGUAGE/TIMESTAMP/STORY/shots/shot_07.png`: the reader takes the number behind the last `_`, and
scores the picture under the shot of that `index` in the story.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

from lorakit.diagnostics import Diagnostic, InvalidDocument, LorakitError, Place
from lorakit.doors.vistory_board import SHOTS
from lorakit.doors.vistory_story import LANGUAGES, is_number
from lorakit.execute import past_run
from lorakit.language.recipe.documents import StoryboardStep
from lorakit.language.recipe.project import Project
from lorakit.language.story.documents import Scene
from lorakit.plan.expand import Expanded
from lorakit.records import record

_NAMED = re.compile(rf"{SHOTS}([0-9]{{1,4}})")
_TIMESTAMP = re.compile(r"[0-9]{8}[_-][0-9]{6}")
_MOST_TOLD = 5


@record
class ScoredShot:
    """The picture of a shot: `index` in its `story`; None where the last run has none."""

    story: str
    index: int
    address: str
    place: Place | None
    picture: Path | None

    @property
    def path(self) -> str:
        """Where it goes below the timestamp."""
        return (
            f"{self.story}/shots/shot_{self.index:02d}{self.picture.suffix if self.picture else ''}"
        )


def steps_of(
    project: Project, step: str | None, story: str | None
) -> list[tuple[StoryboardStep, str]]:
    """The steps that draw stories, each with its number: that of its board's file, or the one given.

    Raises LorakitError with what there is.
    """
    able = [one for one in project.recipe.steps.values() if isinstance(one, StoryboardStep)]
    known = ", ".join(one.name for one in able) or "none"
    if step is not None:
        able = [one for one in able if one.name == step]
        if not able:
            raise LorakitError(f"{step} is no step of kind: storyboard; there are: {known}")
    if story is not None:
        if not is_number(story):
            raise LorakitError(f"--story {story}: the benchmark's stories are numbers, as 01")
        if len(able) != 1:
            raise LorakitError(
                f"--story {story}: say which step tells it, as in "
                f"{project.recipe.path.name}:STEP; there are: {known}"
            )
        return [(able[0], story)]
    found = [(one, one.board.path.stem) for one in able if is_number(one.board.path.stem)]
    if not found:
        raise LorakitError(
            "no board is called by its story's number, as 01.yaml is: say which story it tells, "
            f"as in --story 01 (steps with boards: {known})"
        )
    numbers = [number for _, number in found]
    twice = next((one for one in numbers if numbers.count(one) > 1), None)
    if twice is not None:
        names = ", ".join(one.name for one, number in found if number == twice)
        raise LorakitError(
            f"story {twice} is told by several steps: {names}; say which, as in "
            f"{project.recipe.path.name}:{next(one.name for one, n in found if n == twice)}"
        )
    return found


def shots_of(
    step: StoryboardStep, story: str, expanded: Expanded, pictures: Mapping[str, Path]
) -> list[ScoredShot]:
    """A story's frames with their indices: in order from 1, and on from N in a scene called `shot N`.

    Raises InvalidDocument where two have the same.
    """
    actions = {action.id: action for action in expanded.actions}
    clips = iter(expanded.step_plans[step.name].clips)  # a sentence's each, in the board's order
    shots: dict[int, ScoredShot] = {}
    index = 0
    for scene in step.board.scenes:
        named = _NAMED.fullmatch(scene.name)
        index = int(named[1]) - 1 if named else index
        for number, _ in enumerate(scene.sentences, 1):
            index += 1
            address = next(clips).picture
            shot = ScoredShot(story, index, address, actions[address].place, pictures.get(address))
            other = shots.setdefault(index, shot)
            if other is not shot:
                raise InvalidDocument([_twice(scene, number, shot, other)])
    return list(shots.values())


def _twice(scene: Scene, number: int, shot: ScoredShot, other: ScoredShot) -> Diagnostic:
    """What is said of a frame whose index another has already."""
    words = f"{scene.name}/{number} is shot {shot.index}, as {other.address} is already"
    hint = f"scenes called {SHOTS}N count on from N, others from the frame before"
    return Diagnostic("vistory", words, scene.sentences[number - 1].place, hints=(hint,))


def undrawn(shots: Iterable[ScoredShot], stale: Iterable[str]) -> Iterator[Diagnostic]:
    """What has no picture, in an error for each story: a story that lacks shots would be scored without."""
    old = set(stale)
    stories: dict[str, list[ScoredShot]] = {}
    for shot in shots:
        if shot.picture is None:
            stories.setdefault(shot.story, []).append(shot)
    for story, lacking in stories.items():
        told = [f"{one.index}" for one in lacking[:_MOST_TOLD]]
        more = f" and {len(lacking) - _MOST_TOLD} more" if len(lacking) > _MOST_TOLD else ""
        many = len(lacking) > 1
        words = f"story {story}: shot{'s' if many else ''} {', '.join(told)}{more} "
        words += f"{'have' if many else 'has'} no picture"
        if any(one.address in old for one in lacking):
            words += "; the last run drew other words"
        hints = ("lorakit run draws them" if many else "lorakit run draws it",)
        yield Diagnostic("no-picture", words, lacking[0].place, hints=hints)


def folder_of(method: str, mode: str, language: str, timestamp: str) -> Path:
    """A run's folder below the benchmark's outputs. Raises LorakitError for what its reader misreads."""
    for what, name in (("method", method), ("mode", mode)):
        if not re.fullmatch(r"\w[\w.+-]{0,99}", name):
            raise LorakitError(f"--{what} {name}: letters, digits and _ . + - make a folder's name")
    if mode in LANGUAGES:
        raise LorakitError(
            f"--mode {mode}: the benchmark takes that for a language; call it otherwise"
        )
    if not _is_time(timestamp):
        raise LorakitError(f"--timestamp {timestamp}: the benchmark reads times as 20260131_235959")
    return Path(method, mode, language, timestamp)


def timestamp_of(run: Path) -> str:
    """When a run began, as the benchmark writes times, in UTC. Raises LorakitError where it is not told."""
    began = past_run.read(run).began
    try:
        return datetime.fromisoformat(began).strftime("%Y%m%d_%H%M%S")
    except ValueError as error:
        raise LorakitError(
            f"{run} does not say when it began: say it, as in --timestamp 20260131_235959"
        ) from error


def _is_time(timestamp: str) -> bool:
    try:
        datetime.strptime(timestamp.replace("_", "-"), "%Y%m%d-%H%M%S")  # noqa: DTZ007 - a name
    except ValueError:
        return False
    return _TIMESTAMP.fullmatch(timestamp) is not None
