"""Who can speak here: the voices of espeak-ng, and programs that the user's config names.

    voices:
      anna: {command: [piper, --model, /home/anna/anna.onnx, --output_file, "{out}"], version: "1"}

A program is told the text on its standard input, or as `{text}` among its words, and writes a sound where
`{out}` says, or to its standard output. A recipe names voices alone: what is started is the user's to say.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from lorakit import children
from lorakit.diagnostics import InvalidDocument, Place
from lorakit.facts.files.user_config import UserConfig
from lorakit.language.recipe.documents import StoryboardStep, VideoStep, film_of, with_members
from lorakit.language.recipe.project import Project
from lorakit.language.story.documents import Storyboard
from lorakit.language.yaml import names

PROGRAM = "espeak-ng"
_PATIENCE = 30  # s
_EXAMPLE = (
    'for example: voices: {anna: {command: [piper, --model, anna.onnx, --output_file, "{out}"]}}'
)
_VERSION = re.compile(r"[0-9]+(?:\.[0-9]+)+")


class Voice(NamedTuple):
    """One who speaks: the program and its version, and the command line that makes it speak."""

    engine: str
    command: tuple[str, ...]


class VoiceAsked(NamedTuple):
    """A voice by its name, and where it is asked for."""

    name: str
    place: Place


def voices_asked(project: Project) -> Iterator[VoiceAsked]:
    """The voices that films ask for, each as often as they do."""
    steps = project.recipe.steps
    for step in with_members(steps.values()):
        video = film_of(step)
        if video is None or video.narration is None:
            continue
        yield VoiceAsked(video.narration.voice, video.narration.place or step.place)
        if isinstance(step, StoryboardStep):
            yield from _of_board(step.board)
        for name in step.of if isinstance(step, VideoStep) else ():
            joined = steps.get(name)
            if isinstance(joined, StoryboardStep):
                yield from _of_board(joined.board)


def _of_board(board: Storyboard) -> Iterator[VoiceAsked]:
    for who in board.characters:
        if who.voice is not None:
            yield VoiceAsked(who.voice, who.voice_place or who.place)
    for scene in board.scenes:
        for sentence in scene.sentences:
            if sentence.voice is not None:
                yield VoiceAsked(sentence.voice, sentence.place)


def voices(project: Project, problem: Callable[..., None]) -> dict[str, Voice]:
    """Those of them that can speak here; without espeak-ng, none of its.

    One that nobody has is told to `problem`. Raises InvalidDocument where the config cannot be understood.
    """
    asked = {one.name: one.place for one in reversed(list(voices_asked(project)))}
    if not asked:
        return {}
    own = configured()
    program = shutil.which(PROGRAM)
    found: dict[str, Voice] = {}
    for name, place in asked.items():
        if name in own:
            found[name] = own[name]
            if shutil.which(own[name].command[0]) is None:
                said = f"the voice {name} is {own[name].command[0]}, which is not here"
                problem(
                    "voice", said, place, "its command stands in your user config, under voices"
                )
        elif program is not None and speaks(program, name):
            words = (program, "-v", name, "-w", "{out}", "--stdin")
            found[name] = Voice(f"{PROGRAM} {version(program)}", words)
        elif program is not None:
            every = [*own, *known(program)]
            problem(
                "voice",
                f"no voice is called {name}",
                place,
                names.did_you_mean(name, every),
                f"{PROGRAM} --voices lists its own; others stand in your user config, under voices",
            )
    return found


def configured(config: Path | None = None) -> dict[str, Voice]:
    """The voices of the user's config. Raises InvalidDocument."""
    read = UserConfig(config)
    return {
        str(name): _voice(read, str(name), told) for name, told in read.mapping("voices").items()
    }


def _voice(read: UserConfig, name: str, told: Any) -> Voice:
    command = told.get("command") if isinstance(told, dict) else None
    if not isinstance(command, list) or not command or not all(isinstance(w, str) for w in command):
        message = f"the voice {name} needs a command, a list of words"
        raise InvalidDocument([read.wrong(("voices", name), message, _EXAMPLE)])
    first = str(Path(command[0]).expanduser()) if command[0].startswith("~") else command[0]
    version_told = told.get("version")
    engine = f"{name} {version_told}" if version_told is not None else " ".join(command)
    return Voice(engine, (first, *command[1:]))


@lru_cache(maxsize=8)
def version(program: str) -> str:
    """Which version of espeak-ng this is."""
    found = _VERSION.search(_told([program, "--version"]))
    return found[0] if found else "unknown"


def speaks(program: str, name: str) -> bool:
    """Whether espeak-ng has a voice of a name, as en-us, or en+f3 with a variant of it.

    It would speak with another where it has none.
    """
    base, plus, variant = name.casefold().partition("+")
    here = {one.casefold() for one in known(program)}
    return base in here and (not plus or variant in known(program, "variant"))


@lru_cache(maxsize=8)
def known(program: str, kind: str = "") -> tuple[str, ...]:
    """The languages of espeak-ng's voices, and the voices' names; of its variants the names alone."""
    lines = [line.split() for line in _told([program, f"--voices={kind}"]).splitlines()[1:]]
    files = tuple(line[4].rpartition("/")[2].casefold() for line in lines if len(line) > 4)
    if kind:
        return files
    languages = tuple(line[1] for line in lines if len(line) > 1)
    return (*languages, *(line[3] for line in lines if len(line) > 3), *files)


def _told(command: list[str]) -> str:
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
            stdin=subprocess.DEVNULL,
            env=children.environment(),
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", errors="replace")
