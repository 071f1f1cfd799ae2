"""Killed at any moment, run again to the end: the same bytes, and nothing finished is made twice.

`tests/soak` kills a thousand, at deeds on the disk. Of the moments here one is tried always, the others by
`pytest -m slow`, where processes begin as a user's do.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.support import runs
from tests.support.boards import board_text, sentences, write_project
from tests.support.runs import Ran, run

KILLS = 12
MOMENTS = [pytest.param(n, marks=[pytest.mark.slow] if n > 0 else []) for n in range(KILLS)]
SCENES = [(f"scene_{n}", sentences(n, 5)) for n in range(1, 5)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, tiny_sd: Path) -> Ran:
    """A run that nobody disturbs, in a project of its own."""
    home = tmp_path_factory.mktemp("whole")
    (home / ".lorakit").mkdir()
    shutil.copytree(tiny_sd, home / "tiny")
    write_project(home, board_text(SCENES, steps=12))
    done = run(home)
    assert done.code == 0, done.errors
    return done


def manifests(home: Path) -> dict[str, float]:
    """Keys of the actions that count as done, with the time their manifest was written."""
    found = {}
    for path in (home / ".lorakit" / "actions").glob("*/*.json"):
        found[json.loads(path.read_text())["key"]] = path.stat().st_mtime_ns
    return found


Start = Callable[[Path], subprocess.Popen[str]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Begin a run in the background; what is left of it at the test's end is cleared away."""
    begun: list[subprocess.Popen[str]] = []

    def begin(home: Path) -> subprocess.Popen[str]:
        begun.append(
            runs.begin(
                home,
                "run",
                "--json",
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        )
        return begun[-1]

    yield begin
    for process in begun:
        kill(process)
        process.wait(timeout=30)
        if process.stdout is not None:
            process.stdout.close()


def kill(process: psutil.Process | subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGKILL)


@pytest.mark.parametrize("attempt", MOMENTS)
def test_story_complaint_02_what_was_made_before_a_kill_is_kept(
    request: pytest.FixtureRequest, home: Path, whole: Ran, start: Start, attempt: int
) -> None:
    if attempt:
        request.getfixturevalue("real_starts")
    write_project(home, board_text(SCENES, steps=12))
    chance = random.Random(attempt)
    whom = ("parent", "worker", "both")[attempt % 3]
    parent = start(home)
    assert parent.stdout is not None
    # moments are counted from the run's first line: start-up is as good a moment as any other
    parent.stdout.readline()
    time.sleep(chance.uniform(0.0, 1.15 * whole.finished["seconds"]))
    victims = runs.workers_of(parent)
    if whom in ("worker", "both") and victims:
        kill(chance.choice(victims))
    if whom in ("parent", "both"):
        kill(parent)
    rest = parent.stdout.read()
    parent.wait(timeout=120)
    psutil.wait_procs(victims, timeout=120)  # those without a parent end at their next step
    if whom == "worker":
        # the parent starts it again and comes to the end by itself
        assert parent.returncode == 0, rest[-2000:]
    finished = manifests(home)

    again = run(home)
    assert again.code == 0, again.errors
    assert again.pictures() == whole.pictures()
    made = {
        e["key"] for e in again.events if e["type"] == "action-finished" and e["outcome"] == "made"
    }
    assert not made & set(finished)
    assert not list((home / ".lorakit" / "tmp").iterdir())


@pytest.mark.slow
def test_a_worker_without_its_parent_ends(home: Path, start: Start) -> None:
    write_project(home, board_text(SCENES, steps=400))
    parent = start(home)
    assert parent.stdout is not None
    while '"action-progress"' not in parent.stdout.readline():
        pass
    orphans = runs.workers_of(parent)
    assert orphans
    kill(parent)
    parent.wait(timeout=30)
    gone, alive = psutil.wait_procs(orphans, timeout=20)
    assert gone
    assert not alive


@pytest.mark.slow
def test_two_runs_at_once_end_well(home: Path, whole: Ran, start: Start) -> None:
    write_project(home, board_text(SCENES, steps=12))
    both = [start(home), start(home)]
    outputs = [process.communicate(timeout=200)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    runs = [[json.loads(line) for line in text.splitlines()] for text in outputs]
    folders = {events[0]["folder"] for events in runs}
    assert len(folders) == 2
    made = [
        {e["action"] for e in events if e["type"] == "action-finished" and e["outcome"] == "made"}
        for events in runs
    ]
    frames = [{action for action in group if "scene_" in action} for group in made]
    assert not frames[0] & frames[1]  # the second waited for the device, then took what was there
    for folder in folders:
        assert Ran(0, [], Path(folder), "").pictures() == whole.pictures()


@pytest.mark.slow
def test_story_complaint_05_ctrl_c_stops_at_a_frame_and_the_next_run_goes_on(
    home: Path, whole: Ran, start: Start
) -> None:
    write_project(home, board_text(SCENES, steps=12))
    parent = start(home)
    assert parent.stdout is not None
    while '"outcome": "made"' not in parent.stdout.readline():
        pass
    parent.send_signal(signal.SIGINT)
    rest = parent.stdout.read()
    assert parent.wait(timeout=60) == 130
    assert json.loads(rest.splitlines()[-1])["ending"] == "interrupted"
    finished = manifests(home)
    assert finished
    again = run(home)
    assert again.code == 0, again.errors
    assert again.pictures() == whole.pictures()
    assert again.finished["cached"] >= len(finished)
