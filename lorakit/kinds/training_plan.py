"""What the plans of all trainings have in common."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from lorakit.diagnostics import Diagnostic, Place
from lorakit.facts.machine.devices import DEVICES
from lorakit.kinds import training_checks
from lorakit.language.recipe.trainings import LoraSettings, TrainSettings
from lorakit.plan import numbers
from lorakit.plan.actions import Action
from lorakit.plan.kind import Context
from lorakit.plan.tasks.training import LoraArguments, TrainArguments
from lorakit.records import record

_SHOWN = 6  # steps that a plan prints
UNKNOWN_STEPS = "optimizer steps: unknown until its data is downloaded"


@record
class TrainingPlan:
    """How a training goes, with everything `auto` settled; `steps` 0 where it is not known yet."""

    train: TrainSettings
    precision: str
    device: str
    device_class: str
    seed: int
    samples: int
    steps: int

    @property
    def warmup_steps(self) -> int:
        """Optimizer steps of the warm-up; of a share so many, rounded up as transformers does."""
        if self.train.warmup_ratio is None:
            return self.train.lr_warmup_steps
        return math.ceil(self.steps * self.train.warmup_ratio)

    def arguments(self, learning_rate: float) -> TrainArguments:
        """How its optimizer goes about it; `learning_rate` is taken where the recipe gives none."""
        train = self.train
        return TrainArguments(
            steps=self.steps,
            batch_size=train.batch_size,
            gradient_accumulation_steps=train.gradient_accumulation_steps,
            learning_rate=train.learning_rate or _own_rate(train.optimizer, learning_rate),
            lr_scheduler=train.lr_scheduler,
            text_encoder_learning_rate=train.text_encoder_learning_rate or 0.0,
            lr_warmup_steps=self.warmup_steps,
            lr_num_cycles=train.lr_num_cycles or 0,
            optimizer=train.optimizer,
            weight_decay=train.weight_decay,
            max_grad_norm=train.max_grad_norm,
            ema_decay=train.ema_decay,
            gradient_checkpointing=train.gradient_checkpointing,
            torch_compile=train.torch_compile,
            keep=train.keep,
            processes=training_checks.processes_of(train),
        )

    @property
    def sharing(self) -> int:
        """How many of its processes share one memory: a GPU has its own for each."""
        return 1 if DEVICES[self.device].gpu else training_checks.processes_of(self.train)

    def seen(self) -> int:
        """Samples that go through the model, repeats counted; the ragged last batch is smaller."""
        train = self.train
        batches = train.batches(self.samples)
        passes = self.steps * train.gradient_accumulation_steps
        whole, rest = divmod(passes, batches)
        return whole * self.samples + min(rest * train.batch_size, self.samples)

    def lines(self) -> Iterator[str]:
        """What a plan says of it."""
        if not self.steps:
            yield UNKNOWN_STEPS
            return
        steps = numbers.count(self.steps, "optimizer step")
        epochs = numbers.amount(self.seen() / self.samples, "epoch")
        every = numbers.count(self.samples, "sample")
        yield f"{steps}, {epochs} of {every}: {numbers.count(self.seen(), 'sample')} seen"
        yield self.where()

    def beside(self, lora: LoraSettings, kept: Sequence[int]) -> Iterator[str]:
        """Where it begins, and what it keeps beside the last weights: the adapters of the steps `kept`."""
        if lora.start:
            yield f"goes on from {lora.start}"
        if kept:
            shown = [f"{step:,}" for step in kept]
            rest = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
            yield f"keeps the adapter of step {', '.join(shown[:_SHOWN])}{rest}"
        if self.train.keep == "best":
            yield "its result is the best of the weights that are measured, not the last"

    def pace(self) -> list[object]:
        """What decides how long one of its steps takes, for the name of its timings."""
        train = self.train
        return [
            train.batch_size,
            train.gradient_accumulation_steps,
            self.precision,
            self.device_class,
            train.optimizer,
            bool(train.ema_decay),
            train.gradient_checkpointing,
            train.torch_compile,
            training_checks.processes_of(train),
        ]

    def where(self) -> str:
        """On what it runs, in which precision."""
        count = training_checks.processes_of(self.train)
        shared = f", each batch shared by {count} processes" if count > 1 else ""
        return f"precision {self.precision} on {self.device}{shared}"


def _own_rate(optimizer: str, learning_rate: float) -> float:
    """An optimizer's own scale, where a recipe gives no learning rate.

    Prodigy multiplies a rate that it finds by itself (Mishchenko and Defazio 2023); Lion's steps are signs,
    and want 3 to 10 times less (Chen et al. 2023).
    """
    if optimizer == "prodigy":
        return 1.0
    return learning_rate / 5 if optimizer == "lion" else learning_rate


# bytes that an optimizer keeps of each trained weight; Adafactor keeps rows and columns
_KEPT = {"adamw": 8, "adamw_8bit": 2, "adafactor": 0, "lion": 4, "prodigy": 16, "sgd": 0}


def optimizer_bytes(train: TrainSettings) -> int:
    """What is kept of each trained weight beside itself and its gradient."""
    return _KEPT[train.optimizer] + (4 if train.ema_decay else 0)


def checkpoints_bytes(train: TrainSettings, trained: int) -> int:
    """What checkpoints take on the disk while so many parameters are trained: three while one is written.

    Beside them lie the best weights, of each checkpoint until the next.
    """
    best = 3 * 4 * trained if train.keep == "best" else 0
    return 3 * trained * (4 + optimizer_bytes(train)) + best


def plan_training(
    train: TrainSettings, seed: int | None, samples: int, context: Context
) -> TrainingPlan:
    """Settle a training for this machine."""
    machine = context.facts.machine
    steps = train.steps(samples) if samples else train.max_train_steps or 0
    return TrainingPlan(
        train,
        machine.precision(train.precision),
        machine.device,
        machine.device_class,
        context.project.recipe.seed if seed is None else seed,
        samples,
        steps,
    )


def check_training(training: TrainingPlan, place: Place, context: Context) -> Iterator[Diagnostic]:
    """A precision that the device would ignore, a warm-up without an end, and what is not here."""
    yield from training_checks.packages(training.train, place, context)
    yield from training_checks.compiler(training.train, place, context)
    yield from training_checks.resources(training.train, place, context)
    every = training.train.save_every
    if every and training.steps and every >= training.steps:
        yield context.finding(
            "no-effect",
            f"save_every: {every} has no effect: the training ends after {training.steps} optimizer steps",
            training.train.where("save_every") or place,
            f"write save_every: {max(1, training.steps // 4)}, or remove it",
        )
    if training.precision == "fp16" and not DEVICES[training.device].fp16:
        yield context.finding(
            "precision",
            "precision: fp16 is for GPUs; on a CPU it would train in fp32 without a word",
            training.train.place or place,
            "write precision: auto, which takes what is fast here",
        )
    if (
        training.steps
        and training.train.warmup_ratio is None
        and training.warmup_steps >= training.steps
    ):
        yield context.finding(
            "warmup",
            f"lr_warmup_steps: {training.train.lr_warmup_steps} is no less than the training's "
            f"{training.steps} optimizer steps: the learning rate would never be reached",
            training.train.where("lr_warmup_steps") or place,
            f"write lr_warmup_steps: {training.steps // 10}, or train longer",
        )


def lora_arguments(
    lora: LoraSettings, targets: Sequence[str], peft_type: str | None = None
) -> LoraArguments:
    """The shape of an adapter; `targets` are taken where the recipe names no layers."""
    chosen = lora.target_modules or targets
    return LoraArguments(
        rank=lora.rank,
        alpha=lora.scale_alpha,
        dropout=lora.dropout,
        target_modules=chosen if isinstance(chosen, str) else tuple(chosen),
        use_rslora=lora.use_rslora,
        use_dora=lora.use_dora,
        modules_to_save=tuple(lora.modules_to_save),
        peft_type=peft_type,
    )


def adapted(lora: LoraSettings) -> list[object]:
    """What of an adapter decides how long a step takes."""
    chosen = lora.target_modules
    return [
        lora.peft_type,
        lora.rank,
        chosen if isinstance(chosen, str) else list(chosen),
        lora.use_dora,
        lora.dropout > 0,
        list(lora.modules_to_save),
    ]


def saved_steps(train: TrainSettings, steps: int) -> tuple[int, ...]:
    """The optimizer steps before the last one whose adapter a recipe asks for."""
    return tuple(range(train.save_every, steps, train.save_every)) if train.save_every else ()


def checkpoint_every(train: TrainSettings, steps: int, *, full: bool) -> int:
    """Optimizer steps between two checkpoints: a whole model's weigh too much for many."""
    return train.checkpointing_steps or max(1, steps // (4 if full else 10))


def measured(actions: Iterable[Action]) -> Action | None:
    """That action of a step which hands out the figures of its training."""
    return next((action for action in actions if "metrics" in action.files), None)
