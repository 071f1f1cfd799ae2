"""All facts of one project, gathered once before planning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lorakit.diagnostics import Diagnostic, InvalidDocument, Place
from lorakit.facts.digests import Digests, Unread
from lorakit.facts.machine import Machine, this_machine
from lorakit.facts.models import ModelError, ModelFacts, model_facts
from lorakit.facts.tokens import TokenCounter
from lorakit.language.documents import Project
from lorakit.store.journal import Timings
from lorakit.store.store import FOLDER


@dataclass(frozen=True, slots=True)
class Facts:
    """What planning may ask. `adapters` are digests by name; `timings` seconds a unit of work."""

    machine: Machine
    models: Mapping[str, ModelFacts]
    adapters: Mapping[str, str]
    timings: Mapping[str, float]
    counters: Mapping[str, TokenCounter] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)


def gather(project: Project, *, download: bool = False, keys: bool = True) -> Facts:
    """Find out everything; raises InvalidDocument with all that is wrong.

    Without `keys` weights are not read: enough to check by, but what is planned then has no true keys.
    """
    folder = project.root / FOLDER
    digests = Digests(folder / "digests.json") if keys else Unread()
    problems: list[Diagnostic] = []

    def problem(code: str, message: str, place: Place) -> None:
        problems.append(Diagnostic(code, message, place, project.excerpt(place)))

    models: dict[str, ModelFacts] = {}
    counters: dict[str, TokenCounter] = {}
    for name, source in project.recipe.models.items():
        try:
            facts = models[name] = model_facts(source, digests, download=download)
        except ModelError as error:
            problem("model", str(error), source.place)
            continue
        if facts.tokenizer is not None:
            counters[name] = TokenCounter(facts.tokenizer, facts.token_limit)
    adapters: dict[str, str] = {}
    for name, adapter in project.recipe.adapters.items():
        try:
            adapters[name] = digests.file(adapter_file(adapter.path))
        except OSError as error:
            problem("adapter", f"{adapter.path} cannot be read: {error.strerror}", adapter.place)
    digests.save()
    if problems:
        raise InvalidDocument(problems)
    return Facts(this_machine(), models, adapters, Timings(folder).read(), counters)


def adapter_file(path: Path) -> Path:
    """The weights file of an adapter: the path itself, or diffusers' name for it in a folder."""
    return path / "pytorch_lora_weights.safetensors" if path.is_dir() else path
