"""What a plan expects of several workers: their memory together, and the time of work that is shared."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lorakit.facts.machine.this_machine import Machine
from lorakit.plan.actions import Action, Engine, Input
from lorakit.plan.cost import Cost
from lorakit.plan.estimate import estimate
from lorakit.plan.states import Planned, State
from tests.support.actions import TEXTS, action_of, frame_action
from tests.support.planning import MACHINE, facts_for

GIB = 1 << 30


def frame(id_: str, needs: str = "") -> Action:
    inputs = (Input("start", needs, "latents"),) if needs else ()
    cost = Cost("frame", memory=2 * GIB)
    return replace(frame_action(id_, inputs, units=10), cost=cost)


def training(id_: str, gpus: int) -> Action:
    task = replace(TEXTS, train=replace(TEXTS.train, processes=gpus))
    cost = Cost("training", memory=5 * GIB)
    return action_of(task, id_, Engine("train", id=id_), units=100, cost=cost)


TIMINGS = {
    "frame": 1.0,
    "training": 1.0,
    "load|e": 3.0,
    "begin|training": 0.0,
    "memory share|frame": 1.0,
}


def expected(machine: Machine, *actions: Action) -> tuple[float, int]:
    facts = replace(facts_for(), machine=machine, timings=TIMINGS)
    found = estimate([Planned(a, State.NEW) for a in actions], facts)
    return found.seconds, found.memory


@pytest.mark.parametrize(("workers", "seconds", "gib"), [("", 43, 2), ("2", 23, 4), ("3", 23, 4)])
def test_workers_on_a_cpu_add_up_as_far_as_there_are_chains(
    monkeypatch: pytest.MonkeyPatch, workers: str, seconds: float, gib: int
) -> None:
    monkeypatch.setattr("lorakit.facts.machine.this_machine._cores", lambda: 4)
    monkeypatch.setenv("LORAKIT_WORKERS", workers)
    two = frame("a1"), frame("a2", "a1"), frame("b1"), frame("b2", "b1")
    assert expected(MACHINE, *two) == (seconds, gib * GIB)


def test_each_gpu_has_its_own_memory_and_trainings_run_side_by_side(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Machine, "gpus", 4)
    card = Machine("cuda", "cuda-test", "a card", fast_bf16=True)
    assert expected(card, *map(frame, "abcd")) == (13, 2 * GIB)
    assert expected(card, *(training(f"{n}", 1) for n in range(8))) == (200, 5 * GIB)
    assert expected(card, training("one", 2)) == (100, 5 * GIB)
    assert expected(card, training("one", 4), training("two", 4)) == (200, 5 * GIB)
