"""All facts of one project, gathered once before planning.

What few recipes have is imported where one has it: adapters, data sets, models of texts.
"""

from __future__ import annotations

import shutil
import site
import sys
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lorakit import resources
from lorakit.diagnostics import Diagnostic, InvalidDocument, Place
from lorakit.facts import board_facts
from lorakit.facts.board_facts import unread
from lorakit.facts.facts import Facts
from lorakit.facts.files.digests import Digests, Unread
from lorakit.facts.files.roots import UserRoots
from lorakit.facts.machine.this_machine import MachineError, this_machine
from lorakit.facts.models.model_configs import ModelError
from lorakit.facts.models.model_lookup import model_facts
from lorakit.facts.models.parts_folder import PartsError
from lorakit.facts.models.tokens import TokenCounter
from lorakit.facts.named_adapters import named_adapters
from lorakit.facts.pictures.own_films import own_films
from lorakit.facts.pictures.own_pictures import own_pictures
from lorakit.facts.training_data import data_sets, text_lengths_of
from lorakit.files import within
from lorakit.language.recipe.documents import (
    StoryboardStep,
    TrainTextStep,
    film_of,
    with_members,
)
from lorakit.language.recipe.project import Project
from lorakit.store.journal import Timings
from lorakit.store.store import FOLDER

if TYPE_CHECKING:
    from lorakit.facts.files.signing import Signing
    from lorakit.facts.machine.ffmpeg import Ffmpeg
    from lorakit.facts.models.model_facts import ModelFacts
    from lorakit.facts.sounds.own_sounds import OwnSound
    from lorakit.facts.sounds.voices import Voice
    from lorakit.facts.texts.text_models import TextModelFacts
    from lorakit.language.recipe.documents import ModelSource, Step

_Problem = Callable[..., None]


class StandIn(NamedTuple):
    """A folder whose files stand for those of a project for a while, and where else they may lead."""

    folder: Path
    leads_to: tuple[Path, ...] = ()


def gather(
    project: Project,
    *,
    download: bool = False,
    keys: bool = True,
    verify: bool = False,
    stand_in: StandIn | None = None,
) -> Facts:
    """Find out everything; raises InvalidDocument with all that is wrong.

    Without `keys` weights are not read: enough to check by, but what is planned then has no true keys.
    With `verify` no digest is taken from memory. `stand_in` holds the project's files where they are not its
    own: a revision's.
    """
    passing = stand_in.folder if stand_in else None
    cache = project.home / FOLDER / "digests.json"
    digests = Digests(cache, anew=verify, passing=passing) if keys else Unread()
    with inside(project, stand_in.leads_to if stand_in else ()):
        return _gathered(project, digests, download=download, keys=keys)


def inside(project: Project, others: Iterable[Path] = ()) -> AbstractContextManager[None]:
    """While this lasts, files are opened only where those of a project may be, or below `others`."""
    return within([*_places(project), *others], _other_places)


def _places(project: Project) -> list[Path]:
    """Where the files of a project may be: below its root, in its store, with lorakit."""
    shipped = [resources.path(name) for name in ("data", "recipes", "studio", "judge")]
    return [project.root, project.home / FOLDER, *shipped]


def _other_places() -> list[Path]:
    """The user's own roots, the hub's cache, and where Python keeps its packages."""
    from huggingface_hub import constants

    packages = [Path(place) for place in (*site.getsitepackages(), site.getusersitepackages())]
    return [
        *UserRoots().values(),
        Path(constants.HF_HUB_CACHE),
        *packages,
        *map(Path, sys.path[1:]),
    ]


def _gathered(project: Project, digests: Digests, *, download: bool, keys: bool) -> Facts:
    problems: list[Diagnostic] = []

    def problem(code: str, message: str, place: Place, *hints: str) -> None:
        shown = tuple(hint for hint in hints if hint)
        problems.append(Diagnostic(code, message, place, project.excerpt(place), shown))

    try:
        machine = this_machine()
        _ = machine.workers  # a number that cannot be is told before anything is read
    except MachineError as error:
        raise InvalidDocument([Diagnostic("machine", str(error), hints=error.hints)]) from error
    models: dict[str, ModelFacts] = {}
    counters: dict[str, TokenCounter] = {}
    text_models: dict[str, TextModelFacts] = {}
    reads, draws = _uses(project)
    beside = board_facts.models_beside(project) | board_facts.clip_models(project)
    for name, source in project.recipe.models.items():
        try:
            if name in reads:
                text_models[name] = _text_model(source, digests, download=download)
            if name in reads and name not in draws:
                continue
            if name not in draws and (name in beside or _stands_beside(source)):
                continue
            if source.source == "lorakit:minilm":
                raise ModelError("lorakit:minilm reads texts; it cannot draw")  # noqa: TRY301
            facts = models[name] = model_facts(source, digests, download=download)
        except ModelError as error:
            place = source.parts_place if isinstance(error, PartsError) else None
            problem("model", str(error), place or source.place, *error.hints)
            continue
        except OSError as error:
            problem("model", unread(error), source.place)
            continue
        if facts.tokenizer is not None:
            complain = _complaint(project, source.place)
            marks = facts.words.marks
            counters[name] = TokenCounter(facts.tokenizer, facts.token_limit, complain, marks)
    adapters, text_adapters = named_adapters(project, digests, problem)
    data, pictures = data_sets(project, digests, problem, download=download, keys=keys)
    own = own_pictures(project, digests, problem)
    films = own_films(project, digests, problem)
    named = board_facts.board_models(project, digests, problem, download=download)
    sounds, voices = _sounds(project, digests, problem)
    ip_adapters = board_facts.ip_adapters(project, models, digests, problem, download=download)
    lengths = text_lengths_of(project, text_models, data, problem) if keys else {}
    judge = _judge(project, digests)
    ffmpeg, signing = _films(project, problem)
    digests.save()
    if problems:
        raise InvalidDocument(problems)
    return Facts(
        machine,
        models,
        adapters,
        Timings(project.home / FOLDER).read(),
        counters,
        text_models=text_models,
        data=data,
        pictures=pictures,
        lengths=lengths,
        judge=judge,
        free_disk=shutil.disk_usage(project.home).free,
        sources=digests.sources,
        text_adapters=text_adapters,
        own_pictures=own,
        own_films=films,
        control_models=named.control,
        video_models=named.video,
        upscale_models=named.upscale,
        own_sounds=sounds,
        ffmpeg=ffmpeg,
        signing=signing,
        ip_adapters=ip_adapters,
        voices=voices,
    )


def _films(project: Project, problem: _Problem) -> tuple[Ffmpeg | None, Signing | None]:
    """What writes films, and who signs them, where there are some."""
    steps = with_members(project.recipe.steps.values())
    films = [film for step in steps if (film := film_of(step)) is not None]
    if not films:
        return None, None
    from lorakit.facts.files.signing import signing
    from lorakit.facts.machine.ffmpeg import FfmpegError, this_ffmpeg

    by = signing()
    if all(film.format == ("png",) for film in films):
        return None, by
    try:
        return this_ffmpeg(), by
    except FfmpegError as error:
        hint = "pip install imageio-ffmpeg brings one, or let IMAGEIO_FFMPEG_EXE name one that runs here"
        problem("ffmpeg", str(error), films[0].place, hint)
        return None, by


def _sounds(
    project: Project, digests: Digests, problem: _Problem
) -> tuple[dict[Path, OwnSound], dict[str, Voice]]:
    """The sounds that films play, and who speaks in them."""
    if not any(map(_is_heard, with_members(project.recipe.steps.values()))):
        return {}, {}
    from lorakit.facts.sounds.own_sounds import own_sounds
    from lorakit.facts.sounds.voices import voices

    return own_sounds(project, digests, problem), voices(project, problem)


def _is_heard(step: Step) -> bool:
    """Whether a step's film has music or words, or recordings of its sentences may be heard in one."""
    film = film_of(step)
    if film is not None and (film.audio is not None or film.narration is not None):
        return True
    scenes = step.board.scenes if isinstance(step, StoryboardStep) else ()
    return any(one.audio is not None for scene in scenes for one in scene.sentences)


def _judge(project: Project, digests: Digests) -> tuple[str, str] | None:
    """The judge that ships, where a board has a gate."""
    scenes = (scene for board in project.recipe.boards for scene in board.scenes)
    if not any(scene.gate.asks for scene in scenes):
        return None
    folder = resources.path("judge")
    return str(folder), digests.files(folder, ("judge.json", "judge.safetensors"))


def _stands_beside(source: ModelSource) -> bool:
    """Whether a model that no step draws with is one that stands beside others, as far as is seen here."""
    if not Path(source.source).is_dir():
        return False
    from lorakit.facts.models.control_models import stands_beside
    from lorakit.facts.models.ip_adapters import is_ip_adapter
    from lorakit.facts.models.upscale_models import UPSCALE_SORT
    from lorakit.facts.models.video_models import VIDEO_SORT

    folder = Path(source.source)
    return (
        stands_beside(source.source)
        or is_ip_adapter(folder)
        or VIDEO_SORT.holds(folder)
        or UPSCALE_SORT.holds(folder)
    )


def _text_model(source: ModelSource, digests: Digests, *, download: bool) -> TextModelFacts:
    from lorakit.facts.texts.text_models import text_model_facts

    return text_model_facts(source, digests, download=download)


def _complaint(project: Project, place: Place) -> Callable[[str], InvalidDocument]:
    """What tells of a model's file that is read when planning asks for it."""
    way = "the file is damaged, or of another kind of model: fetch it anew"
    return lambda words: InvalidDocument(
        [Diagnostic("model", words, place, project.excerpt(place), (way,))]
    )


def _uses(project: Project) -> tuple[set[str], set[str]]:
    """Which models steps read with, and which they draw with."""
    reads: set[str] = set()
    draws: set[str] = set()
    for step in with_members(project.recipe.steps.values()):
        (reads if isinstance(step, TrainTextStep) else draws).add(getattr(step, "model", ""))
    return reads, draws
