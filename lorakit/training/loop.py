"""The training loop, for texts and pictures alike; accelerate brings device, precision and processes.

    step k:  for each pass i of the accumulation:
                 torch's randomness and a generator from (seed, k, i)
                 batch k * accumulation + i, this process's rows of it -> loss -> gradients
             clip, optimizer, schedule, averages

Nothing in a step depends on the steps' history but weights, optimizer and schedule, and these are what a
checkpoint holds: 6 steps and 6 more are the same as 12, bit for bit.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch

from lorakit.cpu.dropping import quick_dropout
from lorakit.cpu.frozen_weights import FrozenWeights
from lorakit.cpu.heap import give_back_freed_memory
from lorakit.diagnostics import LorakitError
from lorakit.facts.machine.devices import DEVICES
from lorakit.training.accelerator import accelerator_for
from lorakit.training.checkpoints import Checkpoint, Checkpoints
from lorakit.training.memory import peak_memory
from lorakit.training.optimizers import optimizer_for, schedule_for
from lorakit.training.rank_shard import RankShard, rows_of
from lorakit.training.step_log import Figures, StepLog
from lorakit.training.task import LoopSettings, Task, seeded
from lorakit.training.trackers import Trackers

_TIDIED = (
    16  # optimizer steps; each time some pages are to be had anew, which takes a step's hundredth
)
_NAMED = 4  # samples of a bad batch that an error names


class LossNotFinite(LorakitError):
    """The loss or the gradients became infinite or NaN."""


class Loop:
    """Trains a task, a step at a call; goes on from the last checkpoint in `folder`, if there is one."""

    def __init__(
        self,
        task: Task,
        settings: LoopSettings,
        folder: Path | None = None,
        logs: Path | None = None,
    ) -> None:
        """`logs` is where trackers keep their files."""
        from accelerate.utils import send_to_device

        self.task, self.settings = task, settings
        self.accelerator = accelerator_for(settings, logs)
        self._shard = RankShard(self.accelerator.process_index, self.accelerator.num_processes)
        self._send = send_to_device
        # in fp32 a training loses, to the bit, what torch's own dropout would have it lose
        self._quick = not DEVICES[settings.device].gpu and settings.precision != "fp32"
        self._frozen = FrozenWeights(task.model, settings.precision)
        self.step_number = 0  # optimizer steps that are through
        self.seconds = 0.0  # of steps in this process, without evaluations and checkpoints
        self._weights = dict(task.parameters())
        optimizer = optimizer_for(self._weights, settings)
        self._schedule = schedule_for(optimizer, settings)
        if settings.torch_compile:
            task.model.compile()
        self.model, self._optimizer = self.accelerator.prepare(task.model, optimizer)
        self._averages = (
            {name: p.detach().clone() for name, p in self._weights.items()}
            if settings.ema_decay
            else {}
        )
        self._checkpoints = Checkpoints(folder) if folder is not None else None
        self._log = StepLog(folder, writes=self.leads)
        self._saved = -1
        values = {name: getattr(settings, name) for name in settings.__dataclass_fields__}
        self._trackers = Trackers(self.accelerator, logs, values, logs.parent.name if logs else "")
        self._go_on()
        self._earlier = sum(figures.seconds for figures in self.history)

    @property
    def leads(self) -> bool:
        """Whether this process writes checkpoints, figures and results; one of them does."""
        return self._shard.rank == 0

    @property
    def history(self) -> list[Figures]:
        """The figures of every step so far, those of earlier processes too."""
        return self._log.history

    @property
    def done(self) -> bool:
        """Whether every step is through."""
        return self.step_number >= self.settings.steps

    def step(self) -> Figures:
        """One optimizer step. Raises LossNotFinite, and OSError where a checkpoint cannot be written."""
        began = time.monotonic()
        self.model.train()
        passes = self.settings.gradient_accumulation_steps
        with quick_dropout() if self._quick else nullcontext():
            losses = [self._pass(place) for place in range(passes)]
        mean, norm = self._figures(losses, self._clip())
        rate = float(self._schedule.get_last_lr()[0])
        self._optimizer.step()
        self._schedule.step()
        self._optimizer.zero_grad(set_to_none=True)
        self._average()
        self.step_number += 1
        seconds = time.monotonic() - began
        self.seconds += seconds
        figures = Figures(
            self.step_number, mean, rate, norm, round(seconds, 6), peak_memory(self.settings.device)
        )
        self.tell(**{k: v for k, v in figures.as_json().items() if k != "step"})
        self._log.note(figures)
        if not DEVICES[self.settings.device].gpu and self.step_number % _TIDIED == 0:
            give_back_freed_memory()
        every = self.settings.checkpointing_steps
        if every and self.step_number % every == 0 and not self.done:
            self.save()
        return figures

    def tell(self, **values: float) -> None:
        """Have trackers note figures beside those of the last step, such as a held-out loss."""
        self._trackers.tell(values, self.step_number)

    def close(self) -> None:
        """Have trackers write out what they hold back."""
        self._trackers.close()

    def save(self) -> Path | None:
        """Write a checkpoint, unless this step has one. Raises OSError, leaving the last one whole."""
        if self._checkpoints is None or self._saved == self.step_number or not self.leads:
            return None
        scaler = self.accelerator.scaler
        path = self._checkpoints.save(
            Checkpoint(
                self.step_number,
                {name: p.detach() for name, p in self._weights.items()},
                self._optimizer.state_dict(),
                self._averages,
                {
                    "schedule": _plain(self._schedule.state_dict()),
                    "scaler": scaler.state_dict() if scaler is not None else None,
                },
            )
        )
        self._saved = self.step_number
        return path

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """The averaged weights in the model's place; the trained ones where no average is kept."""
        if not self._averages:
            yield
            return
        own = {name: p.detach().clone() for name, p in self._weights.items()}
        self._put(self._averages)
        try:
            yield
        finally:
            self._put(own)

    def measured_weights(self) -> dict[str, torch.Tensor]:
        """Copies of what is measured and saved: the averages, or the trained weights themselves."""
        chosen = self._averages or self._weights
        return {name: value.detach().clone() for name, value in chosen.items()}

    def use(self, weights: Mapping[str, torch.Tensor]) -> None:
        """Put what `measured_weights` gave in weights' and averages' place, once all steps are through."""
        assert self.done, "training would go on from other weights"
        self._put(weights)
        for name, average in self._averages.items():
            average.copy_(weights[name])

    @property
    def single(self) -> Any:
        """The task's model in the training's precision, for what one process does alone."""
        return self.task.model

    def unwrapped(self) -> Any:
        """The task's model in fp32 once it is trained: a low precision is taken off it for good."""
        assert self.done, "training would go on in fp32"
        self._frozen.restore()
        return self.accelerator.unwrap_model(self.model, keep_fp32_wrapper=False)

    def wall_seconds(self, began: float) -> float:
        """Seconds since `began` (time.monotonic), and of the steps that earlier processes made."""
        return self._earlier + time.monotonic() - began

    # -- parts of a step ---------------------------------------------------------------------------

    def _pass(self, place: int) -> torch.Tensor:
        """Gradients of pass `place` of a step's; returns its share of the step's loss, on the device."""
        passes = self.settings.gradient_accumulation_steps
        number = self.step_number * passes + place
        generator = seeded(self.settings.seed, "step", self.step_number, place)
        if not self.leads:  # other rows drop out otherwise
            seeded(self.settings.seed, "step", self.step_number, place, self._shard.rank)
        batch = self._send(self.task.batch(number), self.accelerator.device)
        last = place == passes - 1
        with nullcontext() if last else self.accelerator.no_sync(self.model):
            loss = self.task.loss(self.model, batch, generator, self._shard)
            loss = loss * (self._shard.weight(rows_of(batch)) / passes)
            self.accelerator.backward(loss)
        return self._mean(loss.detach()).float()

    def _figures(self, losses: list[torch.Tensor], norm: torch.Tensor) -> tuple[float, float]:
        """The step's loss and its gradients' norm, for which the host waits once. Raises LossNotFinite."""
        *shares, length = torch.stack([*losses, norm]).tolist()
        first = self.step_number * len(losses)
        for place, share in enumerate(shares):
            if not math.isfinite(share):
                raise self._not_finite("loss", first + place)
        if not math.isfinite(length) and self.accelerator.scaler is None:
            raise self._not_finite("gradient", first)
        return sum(shares), length

    def _mean(self, loss: torch.Tensor) -> torch.Tensor:
        """Over all processes, which thereby stop together where it is not finite."""
        if self._shard.of == 1:
            return loss
        mean: torch.Tensor = self.accelerator.reduce(loss, "mean")
        return mean

    def _clip(self) -> torch.Tensor:
        most = self.settings.max_grad_norm or math.inf
        norm: torch.Tensor = self.accelerator.clip_grad_norm_(list(self._weights.values()), most)
        return norm.float()

    def _average(self) -> None:
        decay = self.settings.ema_decay
        # a young average would remember little but the start
        decay = min(decay, (1 + self.step_number) / (10 + self.step_number))
        for name, average in self._averages.items():
            average.lerp_(self._weights[name].detach(), 1 - decay)

    def _not_finite(self, what: str, number: int) -> LossNotFinite:
        names = list(self.task.names(number))
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        kept = self._checkpoints.steps() if self._checkpoints is not None else []
        good = f"the last good checkpoint is of step {kept[-1]}" if kept else "no checkpoint yet"
        return LossNotFinite(
            f"the {what} is not finite at step {self.step_number + 1}, on {'; '.join(names[:_NAMED])}"
            f"{more} ({good}); {self._gentler()} may help"
        )

    def _gentler(self) -> str:
        """The keys that make a step less wild, those that are not so gentle yet."""
        keys = ["a lower learning_rate", "lr_warmup_steps"]
        keys += [] if self.settings.max_grad_norm else ["max_grad_norm: 1"]
        keys += [] if self.settings.precision == "fp32" else ["precision: fp32"]
        return f"{', '.join(keys[:-1])} or {keys[-1]}"

    # -- going on ----------------------------------------------------------------------------------

    def _put(self, values: Any) -> None:
        with torch.no_grad():
            for name, parameter in self._weights.items():
                parameter.copy_(values[name])

    def _go_on(self) -> None:
        checkpoint = self._checkpoints.last() if self._checkpoints is not None else None
        if checkpoint is not None:
            self._put(checkpoint.weights)
            self._optimizer.load_state_dict(checkpoint.optimizer)
            self._schedule.load_state_dict(dict(checkpoint.plain["schedule"]))
            if self.accelerator.scaler is not None and checkpoint.plain["scaler"]:
                self.accelerator.scaler.load_state_dict(checkpoint.plain["scaler"])
            for name, average in checkpoint.averages.items():
                self._averages[name].copy_(average)
            self.step_number = self._saved = checkpoint.step
        self._log.go_back(self.step_number)


def _plain(state: dict[str, Any]) -> dict[str, Any]:
    """A schedule's state without its functions, which are built anew."""
    return {**state, "lr_lambdas": [None] * len(state["lr_lambdas"])}
