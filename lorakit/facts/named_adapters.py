"""The adapters that a recipe names, as they are read from files: of pictures, and of texts."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from lorakit.facts.board_facts import unread
from lorakit.facts.files.digests import Digests
from lorakit.language.recipe.documents import TrainTextStep, with_members
from lorakit.language.recipe.project import Project

if TYPE_CHECKING:
    from lorakit.facts.adapters.adapter_facts import AdapterFacts
    from lorakit.facts.adapters.text_adapters import TextAdapterFacts

FactsT = TypeVar("FactsT")
_Problem = Callable[..., None]


def named_adapters(
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
