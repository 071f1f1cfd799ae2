"""Measured along a training, kept over a kill."""

from __future__ import annotations

from pathlib import Path

from lorakit.training.evaluation_log import EvaluationLog


def followed(file: Path, steps: int, begin: int, end: int) -> EvaluationLog:
    found = EvaluationLog(file, steps, begin, lambda: (loss for loss in (1.0, 3.0)))
    for step in range(begin, end + 1):
        if found.due(step):
            list(found.measured(step))
    return found


def test_it_is_measured_before_the_first_step_ten_times_and_at_the_end(tmp_path: Path) -> None:
    found = followed(tmp_path / "held_out.jsonl", 95, 0, 95)
    assert list(found.losses) == [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95]
    assert found.first == found.last == 2.0
    assert list(followed(tmp_path / "few.jsonl", 3, 0, 3).losses) == [0, 1, 2, 3]


def test_what_was_measured_after_the_checkpoint_is_measured_again(tmp_path: Path) -> None:
    file = tmp_path / "held_out.jsonl"
    followed(file, 100, 0, 45)
    with file.open("a") as log:
        log.write('{"step": 50, "lo')
    again = followed(file, 100, 35, 100)
    assert list(again.losses) == [*range(0, 101, 10)]
