"""What an engine is told as it reports: that the run it works for is over, before its message is heeded."""

from __future__ import annotations

import base64
import io
import itertools
import json
from pathlib import Path

import pytest

from lorakit.execute import worker as worker_module
from lorakit.execute.worker import PREVIEW_AFTER, Worker


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Worker:
    monkeypatch.setattr("os.dup2", lambda *_: None)  # this process keeps its own output
    return Worker("render", io.StringIO())


def said(*words: str) -> io.StringIO:
    return io.StringIO("".join(json.dumps({"do": word}) + "\n" for word in words))


def test_a_report_says_whether_to_go_on(worker: Worker) -> None:
    assert worker.progress("a", 1, 9) is True
    assert worker.progress("a", 2, 9) is True  # too soon to tell anybody


def test_an_end_that_came_in_is_told_at_the_next_report(worker: Worker) -> None:
    # the next run is there already
    worker.read(said("leave", "begin"))
    assert worker.progress("a", 1, 9) is False
    worker._handle(worker._inbox.get())
    worker._ends[0] -= 1  # this input stays open
    assert worker.progress("b", 1, 9) is True


def test_an_input_that_closes_ends_what_is_under_way(worker: Worker) -> None:
    worker.read(said("leave"))
    worker._handle({"do": "leave"})
    assert worker.progress("a", 1, 9) is False


def test_what_takes_long_is_shown_now_and_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not what is there in a moment, not the last step, and never for a fiftieth of the time or more."""
    out, now, asked = io.StringIO(), [100.0], list[float]()
    monkeypatch.setattr(worker_module.time, "monotonic", lambda: now[0])
    worker = Worker("render", out)

    def preview() -> bytes:
        asked.append(now[0])
        now[0] += 1.0  # a slow one
        return b"a picture"

    step = PREVIEW_AFTER / 2
    for done in range(1, 100):
        worker.progress("a", done, 100, preview=preview)
        now[0] += step
    worker.progress("a", 100, 100, preview=preview)
    messages = [json.loads(line) for line in out.getvalue().splitlines()]
    shown = [m["done"] for m in messages if "preview" in m]
    assert len(shown) == len(asked) > 2
    assert asked[0] - 100 >= PREVIEW_AFTER
    assert all(b - a >= 50 for a, b in itertools.pairwise(asked))
    assert {base64.b64decode(m["preview"]) for m in messages if "preview" in m} == {b"a picture"}
    assert 100 not in shown


def test_of_several_frames_one_is_shown_until_it_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or a wave's frames would take turns before who watches."""
    out, now = io.StringIO(), [0.0]
    monkeypatch.setattr(worker_module.time, "monotonic", lambda: now[0])
    worker = Worker("render", out)
    for done in range(1, 31):
        for job, total in (("a", 20), ("b", 30)):
            if done <= total:
                worker.progress(job, done, total, preview=lambda: b"a picture")
        now[0] += 1.0
    shown = [
        m["id"] for line in out.getvalue().splitlines() if "preview" in (m := json.loads(line))
    ]
    assert set(shown) == {"a", "b"}
    assert shown == sorted(shown)


def test_a_worker_whose_folder_was_removed_works_on_in_the_next_runs(
    worker: Worker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numba, for one, is imported by nobody who is nowhere."""
    (tmp_path / "gone").mkdir()
    (tmp_path / "001").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    worker._begin("", str(tmp_path / "001" / "run.log"))
    assert Path.cwd() == tmp_path / "001"
