"""How fast workers have been: of one kind of work, and while there was some."""

from __future__ import annotations

import pytest

from lorakit.ui.worker_progress import WorkerProgress


def test_time_without_work_does_not_slow_a_worker() -> None:
    worker = WorkerProgress()
    worker.begin(0.0, "frames")
    for at in (0.0, 1.0, 2.0):
        worker.add(at, 10)
    worker.end(2.0)
    worker.begin(10.0, "frames")
    worker.add(11.0, 10)
    assert worker.rate() == pytest.approx(10.0)


def test_another_kind_of_work_is_measured_anew() -> None:
    worker = WorkerProgress()
    worker.begin(0.0, "subtitles")
    worker.add(0.3, 1)
    worker.end(0.3)
    worker.begin(8.0, "a sheet")
    worker.begin(8.0, "a film")  # which waits behind it
    worker.add(8.5, 4)
    assert worker.rate() == 0.0  # nothing can be said yet
    worker.add(9.0, 100)
    assert worker.rate() == pytest.approx(200.0)
