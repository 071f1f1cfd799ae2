"""What every training does in its worker, whatever it trains: train, measure, save, load again.

A kind of training is a `Trainer` with what differs filled in; `run` is a generator that yields after each
piece of work (an optimizer step, a sample that is measured) and returns the outputs. Where it is closed at a
yield, it writes a checkpoint.
"""

from __future__ import annotations

import logging
import time
import traceback
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Generic, TypeVar

from lorakit.diagnostics import LorakitError, in_words
from lorakit.plan.tasks.job import Job, Report
from lorakit.plan.tasks.training import TrainTask
from lorakit.store import atomic
from lorakit.store.sources import SourceReading
from lorakit.training.best_weights import BestWeights
from lorakit.training.curve import write_curve
from lorakit.training.evaluation_log import EvaluationLog
from lorakit.training.loop import Loop
from lorakit.training.memory import peak_memory
from lorakit.training.step_adapters import StepAdapters
from lorakit.training.step_log import Figures
from lorakit.training.task import LoopSettings, Task, size

_LOG = logging.getLogger("lorakit")  # what is told here stands in the run's notes
TaskT_co = TypeVar("TaskT_co", bound=TrainTask, covariant=True)
Run = Generator[None, None, Mapping[str, str]]


class Trainer(ABC, Generic[TaskT_co]):
    """One training: what its task asks for, with the files of its job."""

    measured = "held_out"  # what the loss is of that is measured along the way
    dots = "held out"  # the same in the curve

    def __init__(self, job: Job[TaskT_co]) -> None:
        self.job, self.task = job, job.task
        self.inputs = job.inputs
        self.out, self.keep = job.out, job.keep

    @property
    def full(self) -> bool:
        """Whether every weight is trained, and not an adapter."""
        return self.task.lora is None

    def step_kept(self, log: EvaluationLog) -> int:
        """The step whose weights are the result: the last, or the best."""
        last = self.task.train.steps
        best = log.best_until(last) if self.task.train.keep == "best" else None
        return last if best is None else best

    @property
    def start(self) -> Path | None:
        """The file of the adapter that it goes on from, if there is one."""
        path = self.inputs.get("start", self.task.start_path)
        return Path(path) if path else None

    # -- what a kind of training fills in ----------------------------------------------------------

    @abstractmethod
    def prepare(self) -> Task:
        """Model, data and loss; the same weights for the same seed."""

    @abstractmethod
    def losses(self, loop: Loop) -> Iterator[float]:
        """The loss of each of some samples that are the same whenever it is asked."""

    def score(self, loop: Loop) -> Generator[None, None, Mapping[str, Any]]:  # noqa: ARG002
        """Figures of the trained model, in the training's precision."""
        yield from ()
        return {}

    @abstractmethod
    def save_adapter(self, model: Any, folder: Path) -> Mapping[str, str]:
        """Write an adapter into a folder of its own; outputs by name."""

    @abstractmethod
    def save(self, model: Any) -> dict[str, str]:
        """Write what was trained, once it is fp32; outputs by name."""

    @abstractmethod
    def reloaded(self, model: Any, outputs: Mapping[str, str]) -> float:
        """How far what a fresh process loads is from the model. Raises LorakitError where it is too far."""

    @abstractmethod
    def figures(self, loop: Loop, log: EvaluationLog, outputs: Mapping[str, str]) -> dict[str, Any]:
        """What `metrics.json` says beside the figures of every training."""

    @abstractmethod
    def title(self) -> str:
        """What stands above the curve, after `loss:`."""

    # -- what all of them do -----------------------------------------------------------------------

    def run(self, report: Report) -> Run:
        """Train to the end; goes on from the last checkpoint."""
        began = time.monotonic()
        self.out.mkdir(parents=True, exist_ok=True)
        adapters = StepAdapters(self.keep, self.task.adapter_steps, self.save_adapter)
        adapters.forget_what_cannot_be_made()
        file = self.keep / "held_out.jsonl"
        best = BestWeights(self.keep, wanted=self.task.train.keep == "best")
        best.forget_what_cannot_be_made(file)
        reading = SourceReading(self.job.reads)
        reading.begin()
        task = self.prepare()
        reading.end()  # before there is a checkpoint of it
        settings = LoopSettings.of(self.task)
        loop = Loop(task, settings, self.keep, self.job.logs)

        def measure() -> Generator[float, None, None]:
            with loop.averaged():
                yield from self.losses(loop)

        log = EvaluationLog(file, settings.steps, loop.step_number, measure, leads=loop.leads)
        # a kill may have come between this step's checkpoint and its adapter
        adapters.keep_of(loop)
        try:
            yield from log.measured_if_due(loop.step_number)
            best.keep_of(loop, log)
            while not loop.done:
                step = loop.step()
                adapters.keep_of(loop)  # before anything can end this process in good order
                report(self.job.id, step.step, settings.steps, self._told(step, log, loop))
                yield
                if log.due(step.step):
                    yield from log.measured(step.step)
                    best.keep_of(loop, log)
                    loop.tell(**{f"{self.measured}_loss": log.last})
            if not loop.leads:
                return {}
            loop.close()
            chosen = best.put_into(loop, log)
            with loop.averaged(), closing(self.score(loop)) as scoring:
                scored = yield from scoring
                model = loop.unwrapped()
                outputs = self.save(model)
                if self.full:
                    reading.begin()  # what is not trained was copied from the model
                yield
                difference, doubt = self._compared(model, outputs)
                parameters = size(model)
        except GeneratorExit:
            loop.save()
            raise
        figures = {
            "kind": self.task.kind,
            "method": self.task.method,
            "model": self.task.source,
            **_cost(loop),
            **scored,
            **self.figures(loop, log, outputs),
            **({"best_step": chosen} if chosen is not None else {}),
            "precision": self.task.precision,
            "wall_seconds": round(loop.wall_seconds(began), 3),
            "total_parameters": parameters,
            "reloaded_difference": difference,
            **({"reload_warning": doubt} if doubt else {}),
        }
        return {**outputs, **adapters.handed_out(self.out), **self._written(loop, log, figures)}

    def _compared(self, model: Any, outputs: Mapping[str, str]) -> tuple[float | None, str]:
        """How far what a fresh process loads is from the model, or what speaks against it.

        The work is done, and is never thrown away for a doubt: the run tells of it.
        """
        try:
            return self.reloaded(model, outputs), ""
        except Exception as error:  # noqa: BLE001 - whatever it is, hours of work are worth more
            if not isinstance(error, LorakitError):
                traceback.print_exc()
            doubt = in_words(error)
        _LOG.warning("%s is kept, but look at it before you rely on it: %s", self.job.id, doubt)
        return None, doubt

    def _told(self, step: Figures, log: EvaluationLog, loop: Loop) -> dict[str, float]:
        """What is shown of a step."""
        settings = {
            "loss": step.loss,
            "learning_rate": step.learning_rate,
            "memory": float(step.memory),
            "training_seconds": loop.seconds,
        }
        return settings | ({f"{self.measured}_loss": log.last} if log.losses else {})

    def _written(
        self, loop: Loop, log: EvaluationLog, figures: Mapping[str, Any]
    ) -> dict[str, str]:
        """Figures, the log of steps, the loss curve."""
        files = {
            "metrics": self.out / "metrics.json",
            "log": self.out / "metrics.jsonl",
            "curve": self.out / "loss_curve.png",
        }
        atomic.write_json(files["metrics"], figures)
        lines = log.beside(loop.history, f"{self.measured}_loss")
        atomic.write_bytes(files["log"], "".join(lines).encode())
        losses = [step.loss for step in loop.history]
        write_curve(files["curve"], losses, f"loss: {self.title()}", log.points(), self.dots)
        return {name: str(file) for name, file in files.items()}


def _cost(loop: Loop) -> dict[str, Any]:
    """What the steps took."""
    seconds = sum(step.seconds for step in loop.history)
    steps = loop.settings.steps
    return {
        "steps": steps,
        "training_seconds": round(seconds, 3),
        "steps_per_second": round(steps / seconds, 4) if seconds else 0.0,
        "trainable_parameters": sum(p.numel() for p in loop.task.parameters().values()),
        "peak_memory": peak_memory(loop.settings.device),
    }
