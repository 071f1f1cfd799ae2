"""What a worker says while another run holds its lock."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from filelock import FileLock

from lorakit.execute import worker
from lorakit.ui.words import worker_words
from lorakit.ui.worker_progress import WorkerShown


def test_a_worker_waits_for_another_run_and_says_so_once(tmp_path: Path) -> None:
    told: list[dict[str, Any]] = []
    waits = threading.Event()

    class Told:
        def tell(self, **event: Any) -> None:
            told.append(event)
            waits.set()

    lock = tmp_path / "render.lock"
    with FileLock(lock):
        thread = threading.Thread(target=worker._hold, args=(lock, Told()))
        thread.start()
        waits.wait()
    thread.join()
    (event,) = told
    slot = WorkerShown(event["state"], event["detail"], 0.0)
    assert worker_words("render", slot, 1.0) == "waiting for another run"
