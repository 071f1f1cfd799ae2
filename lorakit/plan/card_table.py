"""What a recipe would be on cards that are not here: how each step kept its model, and how long it took.

It is planned for each of them in turn, with memory enough beside it, and nothing of it is kept.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from lorakit.facts.facts import Facts
from lorakit.facts.machine.devices import CUDA
from lorakit.facts.machine.this_machine import Card, Machine
from lorakit.facts.models.model_facts import ModelFacts
from lorakit.language.recipe.documents import Step
from lorakit.language.recipe.project import Project
from lorakit.plan import estimate, mode_words
from lorakit.plan.actions import Action
from lorakit.plan.expand import expand
from lorakit.plan.kind import Kind
from lorakit.plan.memory_modes import MemoryMode
from lorakit.plan.specs_beside import EncodingSpec
from lorakit.plan.states import CardChoice, CardTable, Planned, State, Work
from lorakit.plan.tasks.frame import FrameTask
from lorakit.plan.tasks.training import TrainImageTask

CARDS = (8, 16, 24, 80)  # GB, where none are named
LARGE = 8_000_000_000  # bytes of weights in a file, from which on a model asks for a card


def wanted(facts: Facts) -> bool:
    """Whether a plan tells of cards unasked: there is none here, and a model is large."""
    return facts.machine.card is None and any(
        model.weight_bytes >= LARGE and not model.traits.waves for model in facts.models.values()
    )


def card_table(
    project: Project,
    facts: Facts,
    kind_of: Callable[[Step], Kind[Any]],
    gigabytes: Sequence[int],
    *,
    draft: bool = False,
) -> CardTable:
    """The table for cards of so many gigabytes. Raises InvalidDocument as planning does."""
    choices: list[CardChoice] = []
    seconds = 0.0
    for size in gigabytes:
        there = replace(facts, machine=machine(size), timings={})
        actions = expand(project, there, kind_of, draft=draft).actions
        choices += _choices(size, actions)
        seconds = estimate.estimate([Planned(a, State.NEW) for a in actions], there).seconds
    return CardTable(tuple(choices), seconds, tuple(map(_counted, facts.models.values())))


def machine(gigabytes: int) -> Machine:
    """A machine with one NVIDIA card of so many gigabytes, all of them free."""
    size = gigabytes << 30
    name = f"{CUDA}-{gigabytes}gb"
    return Machine(CUDA, name, name, fast_bf16=True, given=Card(size, size, sys.maxsize))


def _choices(gigabytes: int, actions: Sequence[Action]) -> Iterator[CardChoice]:
    greatest: dict[tuple[str, Work], Action] = {}
    for action in actions:
        mode = action.cost.mode
        if mode is None or not mode.card:
            continue
        name = (action.step, _work(action))
        if name not in greatest or mode.card > greatest[name].cost.memory:
            greatest[name] = action
    for (step, work), action in greatest.items():
        mode = action.cost.mode
        assert mode is not None
        yield CardChoice(gigabytes, step, work, _words(action, mode), mode)


def _work(action: Action) -> Work:
    if isinstance(action.engine.spec, EncodingSpec):
        return "encoding"
    return "training" if isinstance(action.task, TrainImageTask) else "drawing"


def _words(action: Action, mode: MemoryMode) -> str:
    if isinstance(action.task, TrainImageTask):
        return mode_words.on_a_card(mode, action.task.frozen or "fp32", trains=True)
    if isinstance(action.engine.spec, EncodingSpec):
        return mode_words.on_a_card(mode, action.engine.spec.precision)
    assert isinstance(action.task, FrameTask)
    more = ", decoded in tiles" if action.task.vae_tiling else ""
    return mode_words.on_a_card(mode, action.task.precision) + more


def _counted(model: ModelFacts) -> tuple[str, tuple[tuple[str, int], ...]]:
    return model.source, tuple(model.parameters.items())
