"""Two workers that draw: the bytes of one's, each its share of the work, and either goes on without the other."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import psutil
import pytest
from filelock import FileLock

import lorakit
from lorakit.diagnostics import InvalidDocument
from lorakit.execute.events import ActionStarted, Event, Note, WorkerState
from lorakit.execute.pool import Workers
from lorakit.facts.machine.this_machine import this_machine
from tests.support.boards import board_text, sentences, write_project
from tests.support.runs import Ran, begin, run, workers_of

SCENES = [(f"scene_{n}", sentences(n, 2)) for n in range(1, 7)]
NAMES = ["render 1", "render 2"]
DRAW = "  alone: {kind: generate, prompts: [a fox, an owl], images_per_prompt: 1}\n"


@pytest.fixture(autouse=True)
def _two(monkeypatch: pytest.MonkeyPatch) -> None:
    if this_machine().cores < 2:
        pytest.skip("one core")
    monkeypatch.setenv("LORAKIT_WORKERS", "2")


def outputs(ran: Ran) -> dict[str, Any]:
    """What came of each action, latents too; a page's or a sheet's bytes are of the frames'."""
    return {a["id"]: a["outputs"] for a in ran.manifest["actions"]}


def test_frames_of_two_workers_are_those_of_one(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = tmp_path / "alone"
    (alone / ".lorakit").mkdir(parents=True)
    shutil.copytree(home / "tiny", alone / "tiny")
    for folder in (home, alone):
        write_project(folder, board_text(SCENES, steps=12), recipe=DRAW)
    two = run(home)
    assert two.code == 0, two.errors
    with monkeypatch.context() as one_worker:
        one_worker.delenv("LORAKIT_WORKERS")
        one = run(alone)
    assert one.code == 0, one.errors
    assert outputs(two) == outputs(one)
    assert two.pictures() == one.pictures()
    # both drew, and are named
    assert sorted(two.finished["workers"]) == ["assemble", *NAMES]
    assert sum(two.finished["workers"].values()) == two.finished["made"]
    began = {e["worker"] for e in two.events if e["type"] == "action-started"}
    assert began >= set(NAMES)
    assert one.finished["workers"] == {}
    # the report says who drew what
    page = (two.folder / "report.html").read_text("utf-8")
    drew = [f"render {n} made {two.finished['workers'][f'render {n}']}" for n in (1, 2)]
    assert all(words in page for words in drew)
    assert page.count("Made by") == len(two.made("frame"))
    assert "Made by" not in (one.folder / "report.html").read_text("utf-8")
    # scenes move from one to the other with their latents, and all is there for one alone
    monkeypatch.delenv("LORAKIT_WORKERS")
    assert run(home).finished["made"] == 0


@pytest.mark.slow
def test_where_one_dies_the_other_goes_on(home: Path) -> None:
    write_project(home, board_text(SCENES, steps=12))
    before, told = workers_of(), list[Event]()

    def kill_the_second(event: Event) -> None:
        told.append(event)
        if isinstance(event, ActionStarted) and event.worker == "render 2" and not killed:
            mine = [one for one in workers_of(kind="render") if one not in before]
            killed.append(mine[-1])
            mine[-1].kill()

    killed: list[psutil.Process] = []
    with Workers() as own:
        finished = lorakit.load("recipe.yaml").run(listener=kill_the_second, workers=own)
    assert killed
    assert (finished.ending, finished.failed) == ("done", 0)
    notes = [e.text for e in told if isinstance(e, Note)]
    assert any("the render 2 worker ended by itself (signal 9)" in text for text in notes)


@pytest.mark.slow
@pytest.mark.parametrize("whom", ["parent", pytest.param("killed", marks=pytest.mark.slow)])
def test_stopped_both_end_and_nothing_is_left(home: Path, whom: str) -> None:
    """Ctrl-C reaches the parent; a kill reaches it alone, and what it started ends by itself."""
    write_project(home, board_text(SCENES, steps=400, video=""))
    process = begin(
        home,
        "run",
        "--json",
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert process.stdout is not None
    seen: set[str] = set()
    while not set(NAMES) <= seen:
        line = process.stdout.readline()
        seen |= {
            name for name in NAMES if f'"worker": "{name}"' in line and "action-started" in line
        }
    both = workers_of(process, "render")
    assert len(both) == 2
    process.send_signal(signal.SIGINT if whom == "parent" else signal.SIGKILL)
    process.stdout.read()
    process.stdout.close()
    assert process.wait(timeout=60) == (130 if whom == "parent" else -signal.SIGKILL)
    assert psutil.wait_procs(both, timeout=60)[1] == []
    for lock in (home / ".lorakit" / "locks").glob("*.lock"):
        with FileLock(lock, timeout=0):
            pass


@pytest.mark.slow
def test_two_workers_share_their_run_s_lock(home: Path) -> None:
    write_project(home, board_text(SCENES[:2], steps=2))
    told: list[Event] = []
    lock = FileLock(home / ".lorakit" / "locks" / "render.lock", thread_local=False)
    lock.lock_file and Path(lock.lock_file).parent.mkdir(parents=True, exist_ok=True)
    lock.acquire(timeout=0)

    def let_go(event: Event) -> None:
        told.append(event)
        assert not (lock.is_locked and isinstance(event, ActionStarted))
        if isinstance(event, WorkerState) and event.state == "waiting":
            lock.release()

    with Workers() as own:
        assert lorakit.load("recipe.yaml").run(listener=let_go, workers=own).ending == "done"
    assert [e.state for e in told if isinstance(e, WorkerState)].count("waiting") == 1


@pytest.mark.parametrize(
    ("asked", "says"),
    [("two", "is no number of workers"), ("0", "is no number"), ("999", "more workers")],
)
def test_a_number_of_workers_that_cannot_be_is_told(
    home: Path, monkeypatch: pytest.MonkeyPatch, asked: str, says: str
) -> None:
    write_project(home, board_text(SCENES[:1], steps=2))
    monkeypatch.setenv("LORAKIT_WORKERS", asked)
    with pytest.raises(
        InvalidDocument, match=rf"error\[machine\]: LORAKIT_WORKERS={asked}.*{says}"
    ):
        lorakit.load("recipe.yaml").plan()
    assert os.environ["LORAKIT_WORKERS"] == asked
