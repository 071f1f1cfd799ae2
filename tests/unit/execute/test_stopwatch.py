"""What a unit of work takes, from when things were told."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from lorakit.execute.stopwatch import Stopwatch
from lorakit.plan.actions import Action, Engine
from lorakit.plan.cost import Cost
from lorakit.plan.estimate import estimate
from lorakit.plan.states import Planned, State
from tests.support.actions import TEXTS, action_of
from tests.support.planning import facts_for


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Set the clock."""

    def put(seconds: float) -> None:
        monkeypatch.setattr(time, "monotonic", lambda: seconds)

    put(0.0)
    return put


def training(steps: int) -> Action:
    cost = Cost("train-text|this model on this machine", operations=1e12)
    return action_of(TEXTS, "judge/training", Engine("train", id="one"), units=steps, cost=cost)


def followed(watch: Stopwatch, at: Callable[[float], None], steps: int) -> None:
    """A training that begins for 12 s, takes 0.5 s a step, and saves for 5 s."""
    watch.begin("train")
    for step in range(1, steps + 1):
        at(12 + 0.5 * step)
        watch.progress("judge/training", step)
    at(12 + 0.5 * steps + 5)
    watch.lap(training(steps))


@pytest.mark.parametrize("later", [100, 1000])
def test_a_training_of_another_length_is_foreseen(at: Callable[[float], None], later: int) -> None:
    watch = Stopwatch()
    followed(watch, at, 100)
    facts = replace(facts_for(), timings=watch.observed())
    foreseen = estimate([Planned(training(later), State.NEW)], facts)
    assert foreseen.seconds == pytest.approx(12 + 0.5 * later + 5, rel=0.02)
    assert foreseen.measured


@pytest.mark.parametrize("later", [40, 1000])
def test_evaluations_are_as_many_in_a_longer_training(
    at: Callable[[float], None], later: int
) -> None:
    """Ten of 3 s each, whatever its length."""
    watch = Stopwatch()
    watch.begin("train")
    for step in range(1, 101):
        at(12 + 0.5 * step + 3 * ((step - 1) // 10))
        watch.progress("judge/training", step, 0.5 * step)
    at(12 + 50 + 30)
    watch.lap(training(100))
    facts = replace(facts_for(), timings=watch.observed())
    foreseen = estimate([Planned(training(later), State.NEW)], facts)
    assert foreseen.seconds == pytest.approx(12 + 0.5 * later + 30, rel=0.02)


def test_what_tells_no_progress_is_timed_whole(at: Callable[[float], None]) -> None:
    watch = Stopwatch()
    watch.begin("train")
    at(20)
    watch.lap(training(100))
    assert watch.observed() == {"train-text|this model on this machine": 0.2}
