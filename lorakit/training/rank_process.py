"""A process of a training beside rank 0's: it does the same job in step with it, and saves nothing."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import traceback

from lorakit.diagnostics import LorakitError
from lorakit.models.processor import prepare_torch
from lorakit.plan.tasks.job import Job, job_from_json
from lorakit.plan.tasks.training import TrainTask
from lorakit.training.engine import run_of
from lorakit.training.ranks import TOLD, take_own_gpu


def _leave_with_parent() -> None:
    """Runs in a thread: rank 0 holds the other end of our input."""
    with contextlib.suppress(OSError):
        while os.read(0, 1024):
            pass
    os._exit(0)


def _job() -> Job[TrainTask]:
    line = b""
    while not line.endswith(b"\n"):
        piece = os.read(0, 1 << 16)
        if not piece:
            os._exit(0)
        line += piece
    return job_from_json(json.loads(line))


def main() -> None:
    """`python -m lorakit.training.rank_process THREADS`, started by rank 0 with a job on standard input."""
    job = _job()
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    prepare_torch(int(sys.argv[1]))
    take_own_gpu(job.task.device)

    def quiet(*_: object, **__: object) -> None:
        """Rank 0 tells."""

    code = 0
    try:
        for _ in run_of(job, quiet):
            pass
    except (LorakitError, OSError):
        code = TOLD
    except Exception:  # noqa: BLE001 - the log has it, and rank 0 notices
        traceback.print_exc()
        code = 1
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
