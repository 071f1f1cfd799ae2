"""What an engine is told as it reports: that the run it works for is over, before its message is heeded."""

from __future__ import annotations

import io
import json

import pytest

from lorakit.execute.worker import Worker


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
