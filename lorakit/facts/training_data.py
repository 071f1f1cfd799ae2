"""What trainings learn from: the data sets that a recipe names, and how long their texts are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from lorakit.facts.board_facts import unread
from lorakit.facts.files.digests import Digests
from lorakit.facts.models.model_configs import ModelError
from lorakit.facts.models.tokens import TokenCounter
from lorakit.language.recipe.documents import TrainTextStep, with_members
from lorakit.language.recipe.project import Project
from lorakit.store.store import Store

if TYPE_CHECKING:
    from lorakit.facts.pictures.picture import PictureFacts
    from lorakit.facts.texts.text_data import TextFacts
    from lorakit.facts.texts.text_lengths import TextLengths
    from lorakit.facts.texts.text_models import TextModelFacts

_Problem = Callable[..., None]


def data_sets(
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


def text_lengths_of(
    project: Project,
    text_models: Mapping[str, TextModelFacts],
    data: Mapping[str, TextFacts],
    problem: _Problem,
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
