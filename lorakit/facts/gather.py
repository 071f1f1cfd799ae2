"""All facts of one project, gathered once before planning.

What few recipes have is imported where one has it: adapters, data sets, models of texts.
"""

from __future__ import annotations

import shutil
import site
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

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
from lorakit.facts.pictures.own_pictures import own_pictures
from lorakit.files import within
from lorakit.language.recipe.documents import StoryboardStep, TrainTextStep, with_members
from lorakit.language.recipe.project import Project
from lorakit.store.journal import Timings
from lorakit.store.store import FOLDER, Store

if TYPE_CHECKING:
    from lorakit.facts.adapters.adapter_facts import AdapterFacts
    from lorakit.facts.adapters.text_adapters import TextAdapterFacts
    from lorakit.facts.models.model_facts import ModelFacts
    from lorakit.facts.pictures.picture_data import PictureFacts
    from lorakit.facts.texts.text_data import TextFacts
    from lorakit.facts.texts.text_lengths import TextLengths
    from lorakit.facts.texts.text_models import TextModelFacts
    from lorakit.language.recipe.documents import ModelSource

FactsT = TypeVar("FactsT")
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
    beside = board_facts.models_beside(project)
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
    adapters, text_adapters = _adapters(project, digests, problem)
    data, pictures = _data_sets(project, digests, problem, download=download, keys=keys)
    own = own_pictures(project, digests, problem)
    control_models = board_facts.control_models(project, digests, problem, download=download)
    lengths = _lengths(project, text_models, data, problem) if keys else {}
    judge = _judge(project, digests)
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
        control_models=control_models,
    )


def _judge(project: Project, digests: Digests) -> tuple[str, str] | None:
    """The judge that ships, where a board has a gate."""
    boards = [
        s.board
        for s in with_members(project.recipe.steps.values())
        if isinstance(s, StoryboardStep)
    ]
    if not any(scene.gate.asks for board in boards for scene in board.scenes):
        return None
    folder = resources.path("judge")
    return str(folder), digests.files(folder, ("judge.json", "judge.safetensors"))


def _starts_of_texts(project: Project) -> set[str]:
    """The adapters that trainings of texts go on from, and nothing else uses."""
    texts: set[str] = set()
    others: set[str] = set()
    for step in with_members(project.recipe.steps.values()):
        others |= {use.name for use in getattr(step, "adapters", ())}
        lora = getattr(step, "lora", None)
        if lora is not None and lora.start in project.recipe.adapters:
            (texts if isinstance(step, TrainTextStep) else others).add(lora.start)
    return texts - others


def _adapters(
    project: Project, digests: Digests, problem: _Problem
) -> tuple[dict[str, AdapterFacts], dict[str, TextAdapterFacts]]:
    """Adapters from files: those of pictures, and those that trainings of texts go on from."""
    if not project.recipe.adapters:
        return {}, {}
    from lorakit.facts.adapters.adapter_facts import adapter_facts
    from lorakit.facts.adapters.text_adapters import text_adapter_facts

    of_texts = _starts_of_texts(project)
    others = set(project.recipe.adapters) - of_texts
    return (
        _read_adapters(project, digests, problem, adapter_facts, others),
        _read_adapters(project, digests, problem, text_adapter_facts, of_texts),
    )


def _read_adapters(
    project: Project,
    digests: Digests,
    problem: _Problem,
    read: Callable[[Path, Digests], FactsT],
    wanted: Collection[str],
) -> dict[str, FactsT]:
    from lorakit.facts.adapters import AdapterError

    adapters: dict[str, FactsT] = {}
    for name, adapter in project.recipe.adapters.items():
        if name not in wanted:
            continue
        try:
            adapters[name] = read(adapter.path, digests)
        except AdapterError as error:
            for words in error.problems:
                problem("adapter", words, adapter.place, error.hint)
        except OSError as error:
            problem("adapter", unread(error), adapter.place)
    return adapters


def _stands_beside(source: ModelSource) -> bool:
    """Whether a model that no step draws with is one that frames are held by, as far as is seen here."""
    if not Path(source.source).is_dir():
        return False
    from lorakit.facts.models.control_models import stands_beside

    return stands_beside(source.source)


def _text_model(source: ModelSource, digests: Digests, *, download: bool) -> TextModelFacts:
    from lorakit.facts.texts.text_models import text_model_facts

    return text_model_facts(source, digests, download=download)


def _data_sets(
    project: Project, digests: Digests, problem: _Problem, *, download: bool, keys: bool
) -> tuple[dict[str, TextFacts], dict[str, PictureFacts]]:
    """Data sets of texts, and of pictures."""
    if not project.recipe.datasets:
        return {}, {}
    from lorakit.facts.data.data_sets import DataError
    from lorakit.facts.pictures.picture_data import picture_facts
    from lorakit.facts.texts.text_data import text_facts

    texts: dict[str, TextFacts] = {}
    pictures: dict[str, PictureFacts] = {}
    for name, source in project.recipe.datasets.items():
        try:
            if source.texts:
                seed = project.recipe.seed
                texts[name] = text_facts(source, digests, seed=seed, download=download)
            elif source.images:
                store = Store(project.home)
                pictures[name] = picture_facts(source, digests, store, download=download, keep=keys)
        except DataError as error:
            for each in (error, *error.others):
                problem(each.code, each.message, source.where(each.key), each.hint)
        except OSError as error:
            problem("data", unread(error), source.place)
    return texts, pictures


def _complaint(project: Project, place: Place) -> Callable[[str], InvalidDocument]:
    """What tells of a model's file that is read when planning asks for it."""
    way = "the file is damaged, or of another kind of model: fetch it anew"
    return lambda words: InvalidDocument(
        [Diagnostic("model", words, place, project.excerpt(place), (way,))]
    )


def _lengths(
    project: Project,
    text_models: Mapping[str, TextModelFacts],
    data: Mapping[str, TextFacts],
    problem: Callable[[str, str, Place], None],
) -> dict[tuple[str, str], TextLengths]:
    """Tokens of the texts that each text model is trained on."""
    if not text_models:
        return {}
    from lorakit.facts.texts.text_lengths import text_lengths

    steps = (s for s in with_members(project.recipe.steps.values()) if isinstance(s, TrainTextStep))
    found: dict[tuple[str, str], TextLengths] = {}
    for model, texts in dict.fromkeys((step.model, step.data) for step in steps):
        reader, sample = text_models.get(model), data[texts].sample if texts in data else None
        if reader is None or reader.path is None or sample is None:
            continue
        if (reader.path / "tokenizer.json").is_file():
            counter = TokenCounter(reader.path, reader.longest)
            try:
                found[model, texts] = text_lengths(sample, counter, reader.source)
            except ModelError as error:
                problem("model", str(error), project.recipe.models[model].place)
    return found


def _uses(project: Project) -> tuple[set[str], set[str]]:
    """Which models steps read with, and which they draw with."""
    reads: set[str] = set()
    draws: set[str] = set()
    for step in with_members(project.recipe.steps.values()):
        (reads if isinstance(step, TrainTextStep) else draws).add(getattr(step, "model", ""))
    return reads, draws
