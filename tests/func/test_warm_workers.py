"""Runs in one process may share workers: the model stays loaded, and nothing else of a run stays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from filelock import FileLock

import lorakit
from lorakit.execute.events import WorkerState
from lorakit.execute.pool import Workers
from tests.support.boards import board_text, sentences, write_project
from tests.support.runs import workers_of


@pytest.fixture
def workers() -> Iterator[Workers]:
    with Workers() as kept:
        yield kept


def draw(home: Path, workers: Workers) -> tuple[Any, list[str]]:
    """A run, and the names of the models that its workers loaded."""
    told: list[Any] = []
    finished = lorakit.load("recipe.yaml").run(listener=told.append, workers=workers)
    assert finished.ending == "done"
    return finished, [e.detail for e in told if isinstance(e, WorkerState) and e.state == "loading"]


@pytest.mark.slow
def test_the_second_run_loads_nothing_and_counts_its_own_calls(
    home: Path, workers: Workers
) -> None:
    write_project(home, board_text([("a", sentences(1, 2))], steps=4))
    first, loaded = draw(home, workers)
    assert loaded
    children = workers_of()
    write_project(home, board_text([("a", sentences(2, 2))], steps=4))
    second, again = draw(home, workers)
    assert again == []
    assert workers_of() == children
    assert second.calls["unet"] <= first.calls["unet"]  # and not the sum of both
    assert second.calls["unet"] > 0


@pytest.mark.slow
def test_between_runs_the_lock_is_free_and_the_log_is_not_held(
    home: Path, workers: Workers
) -> None:
    write_project(home, board_text([("a", sentences(1, 1))], steps=2))
    before = workers_of()
    finished, _ = draw(home, workers)
    with FileLock(home / ".lorakit" / "locks" / "render.lock", timeout=20):
        pass
    log = Path(finished.folder) / "run.log"
    (render,) = (one for one in workers_of(kind="render") if one not in before)
    assert str(log) not in [file.path for file in render.open_files()]


@pytest.mark.slow
def test_a_worker_that_died_between_runs_is_started_again(home: Path, workers: Workers) -> None:
    write_project(home, board_text([("a", sentences(1, 1))], steps=2))
    before = workers_of()
    draw(home, workers)
    mine = [one for one in workers_of() if one not in before]
    assert mine
    for one in mine:
        one.kill()
    assert psutil.wait_procs(mine, timeout=60)[1] == []
    write_project(home, board_text([("a", sentences(2, 1))], steps=2))
    _, loaded = draw(home, workers)
    assert loaded


def test_closing_ends_the_workers(home: Path) -> None:
    write_project(home, board_text([("a", sentences(1, 1))], steps=2))
    before = workers_of()
    with Workers() as kept:
        draw(home, kept)
        mine = [one for one in workers_of() if one not in before]
        assert mine
    assert psutil.wait_procs(mine, timeout=60)[1] == []
