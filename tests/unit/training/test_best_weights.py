"""The weights of the lowest measured loss, whatever a training was killed at."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from lorakit.training.best_weights import BestWeights
from lorakit.training.checkpoints import Checkpoints
from lorakit.training.evaluation_log import EvaluationLog
from lorakit.training.loop import Loop

LOSSES = {0: 0.1, 1: 5.0, 2: 4.0, 3: 3.0, 4: 3.5, 5: 2.0, 6: 2.0, 7: 9.0, 8: 8.0, 9: 7.0, 10: 6.0}


def trained(
    toy: Any, settings: Any, keep: Path, *, until: int = 10, losses: dict[int, float] = LOSSES
) -> tuple[Loop, int | None, dict[int, dict[str, torch.Tensor]]]:
    """Ten steps, or so many of them, measured after each as `losses` says; what was measured by step."""
    best = BestWeights(keep, wanted=True)
    best.forget_what_cannot_be_made(keep / "log.jsonl")
    loop = Loop(toy(), replace(settings, steps=10, checkpointing_steps=2), keep)

    def measure() -> Generator[float, None, None]:
        yield losses[loop.step_number]

    log = EvaluationLog(keep / "log.jsonl", 10, loop.step_number, measure)
    seen = {}

    def look() -> None:
        list(log.measured_if_due(loop.step_number))
        best.keep_of(loop, log)
        seen[loop.step_number] = loop.measured_weights()

    look()
    while loop.step_number < until:
        loop.step()
        look()
    return loop, best.put_into(loop, log) if loop.done else None, seen


def equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


def test_the_weights_of_the_lowest_loss_are_saved_and_not_those_before_all_steps(
    toy: Any, settings: Any, tmp_path: Path
) -> None:
    loop, chosen, seen = trained(toy, settings, tmp_path)
    assert chosen == 5  # the first of two equals
    assert equal(loop.measured_weights(), seen[5])
    assert not equal(seen[5], seen[10])
    kept = {p.name for p in tmp_path.glob("best-*.safetensors")}
    assert kept == {"best-00000005.safetensors"}


@pytest.mark.parametrize("until", range(1, 10))
def test_a_killed_training_ends_with_the_same_best(
    toy: Any, settings: Any, tmp_path: Path, until: int
) -> None:
    _, _, seen = trained(toy, settings, tmp_path / "whole")
    trained(toy, settings, tmp_path / "killed", until=until)
    loop, chosen, _ = trained(toy, settings, tmp_path / "killed")
    assert chosen == 5
    assert equal(loop.measured_weights(), seen[5])


@pytest.mark.parametrize("damage", ["gone", "torn"])
def test_a_best_that_is_lost_is_trained_for_again(
    toy: Any, settings: Any, tmp_path: Path, damage: str
) -> None:
    _, _, seen = trained(toy, settings, tmp_path / "whole")
    trained(toy, settings, tmp_path / "hurt", until=9)
    assert Checkpoints(tmp_path / "hurt").steps() == [6, 8]
    file = tmp_path / "hurt" / "best-00000005.safetensors"
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:-1] + b"x")
    loop, chosen, _ = trained(toy, settings, tmp_path / "hurt")
    assert chosen == 5
    assert equal(loop.measured_weights(), seen[5])


def test_a_stop_after_the_best_was_chosen_keeps_the_last_weights(
    toy: Any, settings: Any, tmp_path: Path
) -> None:
    loop, _, seen = trained(toy, settings, tmp_path)
    loop.save()
    kept = Checkpoints(tmp_path).last()
    assert kept is not None
    assert kept.step == 10
    assert equal(dict(kept.averages), seen[10])
