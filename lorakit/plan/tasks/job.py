"""A task with the files it needs, as a worker is sent it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from lorakit.plan.tasks.task import WorkerTask
from lorakit.records import record
from lorakit.store.sources import Read

# an image file's bytes that show how far a job is; None where it cannot be shown
Preview = Callable[[], bytes | None]


class Report(Protocol):
    """How an engine tells of a job's progress.

    `figures` are what a training knows of a step, `preview` shows what a frame looks like by now: it is
    called where somebody would wait long for the frame, and now and then only.
    """

    def __call__(
        self,
        job: str,
        done: int,
        total: int,
        figures: Mapping[str, float] | None = None,
        preview: Preview | None = None,
    ) -> bool | None:
        """`done` of `total` units are through; False where the run is over, and what is begun may be left."""


class RankGroup(NamedTuple):
    """Which of the processes of a training on several machines this is, and where the first listens."""

    rank: int
    of: int
    address: str
    port: int


TaskT_co = TypeVar("TaskT_co", bound=WorkerTask, covariant=True)


@record
class Job(Generic[TaskT_co]):
    """`inputs` are files by role, `out` is the folder for results.

    `keep` is a folder for checkpoints, which outlives the run; `logs` is one for trackers' files. `reads` are
    files beside the inputs, with what they were when the key was made. A training that several machines share
    has a `group`.
    """

    id: str
    key: str
    task: TaskT_co
    inputs: Mapping[str, str]
    out: Path
    keep: Path = Path()
    logs: Path = Path()
    reads: tuple[Read, ...] = ()
    group: RankGroup | None = None

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            "id": self.id,
            "key": self.key,
            "task": self.task.to_json(),
            "inputs": dict(self.inputs),
            "out": str(self.out),
            "keep": str(self.keep),
            "logs": str(self.logs),
            "reads": list(self.reads),
        }


def job_from_json(data: Mapping[str, Any]) -> Job[Any]:
    """The job that `to_json` wrote."""
    from lorakit.plan.tasks.table import task_from_json  # a plan sends none

    return Job(
        data["id"],
        data["key"],
        task_from_json(data["task"]),
        data["inputs"],
        Path(data["out"]),
        Path(data["keep"]),
        Path(data["logs"]),
        tuple(data["reads"]),
        RankGroup(*data["group"]) if "group" in data else None,
    )
