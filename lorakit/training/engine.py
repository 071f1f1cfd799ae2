"""The engine of a training's worker: one job, made in bounded pieces, that saves when it is stopped."""

from __future__ import annotations

import errno
import importlib
import traceback
from collections import deque
from collections.abc import Mapping, Sequence

import torch

from lorakit.diagnostics import LorakitError, in_words
from lorakit.plan import memory
from lorakit.plan.engine_specs import EngineSpec
from lorakit.plan.tasks.job import Job, Report
from lorakit.plan.tasks.training import TrainImageTask, TrainTask, TrainTextTask
from lorakit.training.ranks import Ranks, join
from lorakit.training.trainer import Run, Trainer

TrainJob = Job[TrainTask]

# task -> the class that trains it; imported in its worker
TRAINERS: Mapping[type[TrainTask], str] = {
    TrainTextTask: "lorakit.training.text_trainer:TextTrainer",
    TrainImageTask: "lorakit.training.image_trainer:ImageTrainer",
}


def run_of(job: TrainJob, report: Report) -> Run:
    """The training of a job, by its kind, ready to run."""
    module, name = TRAINERS[type(job.task)].split(":")
    trainer: Trainer[TrainTask] = getattr(importlib.import_module(module), name)(job)
    return trainer.run(report)


_DISK_FULL = (
    "the disk is full: the last checkpoint is whole, so free some space and run again to go on"
)


class TrainEngine:
    """Does jobs one after the other."""

    def __init__(self, spec: EngineSpec, report: Report) -> None:
        self.spec = spec
        self._report = report
        self._waiting: deque[TrainJob] = deque()
        self._job: TrainJob | None = None
        self._run: Run | None = None
        self._ranks: Ranks | None = None

    @property
    def busy(self) -> bool:
        """Whether there is work left."""
        return self._run is not None or bool(self._waiting)

    def submit(self, job: TrainJob) -> None:
        """Put a job at the end of the queue."""
        self._waiting.append(job)

    def step(self) -> Sequence[Mapping[str, object]]:
        """One piece of work: an optimizer step, or a few batches of evaluation."""
        if self._run is None:
            self._job = self._waiting.popleft()
        assert self._job is not None
        try:
            self._run = self._run or self._begun(self._job)
            next(self._run)
        except StopIteration as end:
            follows = self._job.group is not None and self._job.group.rank > 0
            return self._ended(outputs={} if follows else end.value)
        except Exception as error:  # noqa: BLE001 - what goes wrong in one training is no fault of others
            if self._ranks is not None and not isinstance(error, LorakitError):
                self._ranks.leave_if_killed()
            return self._ended(error=_told(error, self._job.task))
        return []

    def _begun(self, job: TrainJob) -> Run:
        processes = job.task.train.processes
        if processes > 1:
            threads = max(1, torch.get_num_threads() // processes)
            torch.set_num_threads(threads)
            if job.group is not None:
                join(job.group)
            else:
                self._ranks = Ranks(job, processes, threads)
        return run_of(job, self._report)

    def _ended(self, **outcome: object) -> list[Mapping[str, object]]:
        assert self._job is not None
        self._run = None
        if self._ranks is not None:
            self._ranks.end()
            self._ranks = None
        return [{"id": self._job.id, **outcome}]

    def close(self) -> None:
        """Stop what is under way, with a checkpoint to go on from."""
        self._waiting.clear()
        if self._run is not None:
            self._run.close()
            self._ended()


def _told(error: Exception, task: TrainTask) -> str:
    """What a user reads of an error; the log has where it came from, unless we said it ourselves."""
    if isinstance(error, LorakitError):
        return str(error)
    traceback.print_exc()
    if isinstance(error, OSError):
        full = error.errno == errno.ENOSPC
        return _DISK_FULL if full else str(error)
    return out_of_memory(task) if _is_out_of_memory(error) else in_words(error)


def _is_out_of_memory(error: Exception) -> bool:
    from accelerate.utils.memory import should_reduce_batch_size

    # accelerate knows what GPUs say, and torch's CPU allocator
    return isinstance(error, MemoryError) or should_reduce_batch_size(error)


def out_of_memory(task: TrainTask) -> str:
    """With how much memory ran out, and which key to change, and to what."""
    batch = task.train.batch_size
    return f"out of memory with train.batch_size {batch}: {memory.way_out(task)}"
