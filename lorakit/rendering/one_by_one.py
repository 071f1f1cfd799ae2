"""What engines share whose jobs have nothing of each other: a queue, and one job a step."""

from __future__ import annotations

import time
import traceback
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

from lorakit.diagnostics import LorakitError, in_words
from lorakit.plan.tasks.job import Job
from lorakit.plan.tasks.task import WorkerTask

TaskT = TypeVar("TaskT", bound=WorkerTask)


class OneByOne(ABC, Generic[TaskT]):
    """An engine that does its jobs in their order, one a step; `calls` counts those of its model."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self._waiting: deque[Job[TaskT]] = deque()

    @abstractmethod
    def _outputs(self, job: Job[TaskT]) -> Mapping[str, str]:
        """Do one job; its files by role."""

    @property
    def busy(self) -> bool:
        """Whether there is work left."""
        return bool(self._waiting)

    def submit(self, job: Job[TaskT]) -> None:
        """Put a job at the end of the queue."""
        self._waiting.append(job)

    def drop(self) -> None:
        """Let go of all that waits; the model stays."""
        self._waiting.clear()

    def step(self) -> Sequence[Mapping[str, object]]:
        """Do the next job; what is wrong with one is its own failure."""
        job, began = self._waiting.popleft(), time.monotonic()
        try:
            outputs = self._outputs(job)
        except (LorakitError, OSError) as error:
            return [{"id": job.id, "error": str(error)}]
        except Exception as error:  # noqa: BLE001 - one odd picture is no fault of the others
            traceback.print_exc()
            return [{"id": job.id, "error": in_words(error)}]
        return [{"id": job.id, "outputs": outputs, "seconds": time.monotonic() - began}]
