"""A worker process: holds one engine warm, does the jobs that come in, tells what comes of them.

Messages are JSON lines on standard input and output. The worker leaves SIGINT to its parent, ends at
the next step when its input closes (the parent is gone), and holds a kernel lock as long as it works
for a run, so that two runs never draw on one device at once.
"""

from __future__ import annotations

import base64
import contextlib
import json
import logging
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from lorakit.diagnostics import in_words
from lorakit.execute import shortage
from lorakit.execute.engines import DroppingEngine, EngineProtocol, build, changed
from lorakit.plan.tasks import table  # noqa: F401 - jobs are read by it: here, before one is waited for
from lorakit.plan.tasks.job import Preview, job_from_json
from lorakit.plan.tasks.json_form import from_json
from lorakit.plan.workers import WORKERS
from lorakit.store.sources import SourceReading

if TYPE_CHECKING:
    from filelock import FileLock

Message = Mapping[str, Any]
_PROGRESS_EVERY = 0.1  # s between two progress messages of one job
PREVIEW_AFTER = 4.0  # s; what is there sooner is its own picture
_PREVIEW_SHARE = 50  # a preview is made no sooner than so many times as long as the last one took


class Worker:
    """One slot's worker; `out` carries messages to the parent."""

    def __init__(self, slot: str, out: TextIO) -> None:
        self._slot = slot
        self._out = out
        self._inbox: queue.Queue[Message | None] = queue.Queue()
        self._engine: EngineProtocol | None = None
        self._engine_id = ""
        self._told: dict[str, float] = {}
        self._shown = ""  # the job of all under way that is shown, until it ends
        self._begun: dict[str, float] = {}
        self._next_preview = 0.0
        self._ends = [0, 0]  # of runs: those that came in, and those that were heeded
        self._claim: FileLock | None = None
        self._past_calls: Counter[str] = Counter()  # of engines that made way, in this run

    def tell(self, **message: object) -> None:
        """Send one message."""
        self._out.write(json.dumps(message) + "\n")
        self._out.flush()

    def read(self, source: TextIO) -> None:
        """Put what comes in into the inbox; None at the end. Runs in a thread."""
        for line in source:
            message = json.loads(line)
            self._ends[0] += message["do"] == "leave"
            self._inbox.put(message)
        self._ends[0] += 1
        self._inbox.put(None)

    def progress(
        self,
        job: str,
        done: int,
        total: int,
        figures: Mapping[str, float] | None = None,
        preview: Preview | None = None,
    ) -> bool:
        """Tell of a job's progress, not too often; False once the run is over."""
        now = time.monotonic()
        over = self._ends[0] > self._ends[1]
        if done >= total:
            self._told.pop(job, None)
            self._begun.pop(job, None)
            preview, self._shown = None, "" if job == self._shown else self._shown
        elif now - self._told.get(job, 0) < _PROGRESS_EVERY:
            return not over
        else:
            self._told[job] = now
        shown = self._previewed(job, preview, now) if preview is not None else {}
        self.tell(event="progress", id=job, done=done, total=total, figures=figures or {}, **shown)
        return not over

    def _previewed(self, job: str, preview: Preview, now: float) -> dict[str, str]:
        """What a job looks like by now, where it has been long on its way and was not shown just before."""
        begun = self._begun.setdefault(job, now)
        if now < max(begun + PREVIEW_AFTER, self._next_preview) or self._shown not in ("", job):
            return {}
        data, self._shown = preview(), job
        took = time.monotonic() - now
        self._next_preview = now + max(PREVIEW_AFTER / 2, _PREVIEW_SHARE * took)
        return {"preview": base64.b64encode(data).decode()} if data else {}

    def serve(self) -> None:
        """Work until the input closes; then let the engine put away what it is at."""
        self._serve()
        close = getattr(self._engine, "close", None)
        if close is not None:
            close()

    def _serve(self) -> None:
        while True:
            busy = self._engine is not None and self._engine.busy
            with contextlib.suppress(queue.Empty):
                while True:
                    message = self._inbox.get(block=not busy)
                    if message is None:
                        return
                    self._handle(message)
                    busy = self._engine is not None and self._engine.busy
            if self._engine is not None and self._engine.busy:
                for ended in self._engine.step():
                    told = dict(ended)
                    if "error" in told:
                        way_out = WORKERS[self._slot].way_out
                        told["error"] = shortage.in_words(str(told["error"]), way_out)
                    self.tell(event="ended", calls=self._calls(), **told)

    def _calls(self) -> dict[str, int]:
        return dict(self._past_calls + Counter(getattr(self._engine, "calls", {})))

    def _begin(self, lock: str, log: str) -> None:
        """Work for a run from here on: its lock, its log, its own count of calls."""
        with Path(log).open("ab") as file:
            os.dup2(file.fileno(), 2)
            os.dup2(file.fileno(), 1)
        try:
            Path.cwd()
        except (
            OSError
        ):  # it was removed since another run began here, and libraries ask where they are
            os.chdir(Path(log).parent)
        self._claim = _hold(Path(lock), self) if lock else None
        self._past_calls.clear()
        self._shown = ""
        self._begun.clear()
        getattr(self._engine, "calls", self._past_calls).clear()
        self.tell(event="state", state="starting", detail="")

    def _leave(self) -> None:
        """The run is over: what it asked for is let go, its lock is free, and its log may be moved away."""
        self._ends[1] += 1
        if WORKERS[self._slot].drops and isinstance(self._engine, DroppingEngine):
            self._engine.drop()
        sys.stderr.flush()
        with Path(os.devnull).open("ab") as file:
            os.dup2(file.fileno(), 2)
            os.dup2(file.fileno(), 1)
        if self._claim is not None:
            self._claim.release()
            self._claim = None
        self.tell(event="left")

    def _let_go(self) -> None:
        """Be without an engine, and remember its calls."""
        self._past_calls = Counter(self._calls())
        self._engine = None

    def _handle(self, message: Message) -> None:
        if message["do"] == "begin":
            self._begin(message["lock"], message["log"])
        elif message["do"] == "leave":
            self._leave()
        elif message["do"] == "open":
            if message["engine"] != self._engine_id:
                began = time.monotonic()
                spec = from_json(WORKERS[self._slot].told(), message["spec"])
                self.tell(event="state", state="loading", detail=spec.name)
                self._engine_id = ""
                try:
                    reading = SourceReading(message.get("reads", ()))
                    reading.begin()
                    if changed(self._engine, spec):
                        began = 0.0
                    else:
                        self._let_go()  # of the old weights before the new ones come
                        self._engine = build(self._slot, spec, self.progress)
                    reading.end()
                except Exception as error:  # noqa: BLE001 - one bad model must not end the others' work
                    self._let_go()
                    traceback.print_exc()
                    words = _in_words(error, WORKERS[self._slot].way_out)
                    self.tell(event="refused", engine=message["engine"], error=words)
                    return
                self._engine_id = message["engine"]
                # what was not loaded says nothing of how long that takes
                seconds = time.monotonic() - began if began else 0.0
                self.tell(event="state", state="ready", detail=message["engine"], seconds=seconds)
        elif (
            message["do"] == "job" and self._engine is not None
        ):  # else it was refused, and that was told
            self.tell(event="started", id=message["id"])
            self._engine.submit(job_from_json(message))


def _in_words(error: Exception, way_out: str) -> str:
    """What a user reads; the log keeps the traceback. `way_out` is where memory was short."""
    return shortage.in_words(in_words(error), way_out, error)


def _hold(lock: Path, worker: Worker) -> FileLock:
    """Wait for the slot's kernel lock; released by the system when this process ends, however it ends."""
    from filelock import FileLock, Timeout

    claim = FileLock(lock)
    try:
        claim.acquire(timeout=0)
    except Timeout:
        worker.tell(event="state", state="waiting", detail="")
        claim.acquire()
    return claim


class _Notes(logging.Handler):
    """What our code logs in a worker is told to the user."""

    def __init__(self, worker: Worker) -> None:
        super().__init__(logging.WARNING)
        self._worker = worker

    def emit(self, record: logging.LogRecord) -> None:
        self._worker.tell(event="note", text=record.getMessage())


def _quiet() -> None:
    import warnings

    warnings.simplefilter("ignore")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("DIFFUSERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    # what computes attention is in the key (attention_backend:), and not what a shell says
    os.environ["DIFFUSERS_ATTN_BACKEND"] = "native"
    # without it cuBLAS does not promise equal bits from run to run
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")


def main() -> None:
    """`python -m lorakit.execute.worker SLOT THREADS`; started by the runner, not by people."""
    with contextlib.suppress(ValueError, OSError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    slot, threads = sys.argv[1], int(sys.argv[2])
    # what libraries print must not get between our messages: it goes to the log with the errors
    private = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    _quiet()
    worker = Worker(slot, private)
    logging.getLogger("lorakit").addHandler(_Notes(worker))
    reader = threading.Thread(
        target=worker.read, args=(os.fdopen(0, encoding="utf-8", closefd=False),), daemon=True
    )
    reader.start()
    try:
        if WORKERS[slot].torch:
            from lorakit.models.processor import prepare_torch

            prepare_torch(threads)
            shortage.check_room()
        worker.serve()
    except BrokenPipeError:
        pass
    except Exception as error:  # noqa: BLE001 - the parent tells the user, the log keeps the traceback
        traceback.print_exc()
        with contextlib.suppress(OSError):
            worker.tell(event="broken", error=_in_words(error, WORKERS[slot].way_out))
        sys.stderr.flush()
        os._exit(1)
    # the reader thread sits in a read that nothing interrupts
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
