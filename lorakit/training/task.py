"""What the loop asks of a trainer, and what it is told by a recipe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import torch
from torch import nn

from lorakit.facts.machine.devices import HOST
from lorakit.facts.networks.layer_targets import ALL_LINEAR, settled
from lorakit.families import FAMILIES
from lorakit.plan.seeds import derive
from lorakit.plan.tasks.training import TrainImageTask, TrainTask
from lorakit.records import record
from lorakit.training.rank_shard import RankShard


class Task(Protocol):
    """What is trained, on what, towards what.

    Its model stands ready (adapter and all) before the loop begins; it was built after `seeded`.
    """

    model: nn.Module

    def parameters(self) -> Mapping[str, nn.Parameter]:
        """The trainable parameters by name, in an order that is always the same."""

    def batch(self, number: int) -> Any:
        """The batch of pass `number`, counted from 0 over the whole training: a pure function of it."""

    def names(self, number: int) -> Sequence[str]:
        """What a person calls the samples of that batch: files, or the beginnings of texts."""

    def loss(
        self, model: nn.Module, batch: Any, generator: torch.Generator, shard: RankShard
    ) -> torch.Tensor:
        """The mean loss of the `shard` of a batch, a scalar; `model` is as accelerate prepared it.

        What `generator` gives is drawn for the whole batch, so that it is the same for any shard.
        """


@record
class LoopSettings:
    """Everything about a training but what is trained; settled, with no `auto` left.

    `checkpointing_steps` 0 writes no checkpoint; `ema_decay` 0 keeps no average; `text_encoder_learning_rate`
    0 is `learning_rate`. `idle_weights` says that no pass reaches some of the trained weights.
    """

    steps: int
    seed: int
    learning_rate: float
    device: str = HOST
    precision: str = "fp32"
    gradient_accumulation_steps: int = 1
    lr_scheduler: str = "cosine"
    lr_warmup_steps: int = 0
    lr_num_cycles: int = 1
    optimizer: str = "adamw"
    weight_decay: float = 0.01
    max_grad_norm: float = 1.0
    gradient_checkpointing: bool = False
    torch_compile: bool = False
    checkpointing_steps: int = 0
    ema_decay: float = 0.0
    text_encoder_learning_rate: float = 0.0
    trackers: tuple[str, ...] = ()
    idle_weights: bool = False

    @classmethod
    def of(cls, task: TrainTask) -> LoopSettings:
        """From a training's task."""
        train = task.train
        return cls(
            steps=train.steps,
            seed=task.seed,
            learning_rate=train.learning_rate,
            device=task.device,
            precision=task.precision,
            gradient_accumulation_steps=train.gradient_accumulation_steps,
            lr_scheduler=train.lr_scheduler,
            lr_warmup_steps=train.lr_warmup_steps,
            lr_num_cycles=train.lr_num_cycles or 1,
            optimizer=train.optimizer,
            weight_decay=train.weight_decay,
            max_grad_norm=train.max_grad_norm,
            gradient_checkpointing=train.gradient_checkpointing,
            torch_compile=train.torch_compile,
            checkpointing_steps=task.checkpointing_steps,
            ema_decay=train.ema_decay,
            text_encoder_learning_rate=train.text_encoder_learning_rate,
            trackers=task.trackers,
            # SDXL takes its first text encoder's words before its last layer, and so does clip_skip
            idle_weights=isinstance(task, TrainImageTask)
            and task.train_text_encoder
            and (FAMILIES[task.family].pooled or bool(task.clip_skip)),
        )


def seeded(seed: int, *what: str | int) -> torch.Generator:
    """Set torch's own randomness, which initialises adapters and drops out; returns a CPU generator."""
    number = derive(seed, *what)
    torch.manual_seed(number)
    return torch.Generator().manual_seed(derive(number, "generator"))


def trainable(model: nn.Module) -> dict[str, nn.Parameter]:
    """The parameters of a model that are trained, by name."""
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def size(model: nn.Module) -> int:
    """All parameters; PEFT's untrained copy of a classifier's head is not the model's."""
    named = model.named_parameters()
    return sum(p.numel() for name, p in named if ".original_module." not in name)


def layers_meant(
    model: nn.Module, targets: str | Sequence[str], heads: Sequence[str] = ()
) -> str | list[str]:
    """What PEFT is told of the layers that get an adapter: ends of names, or whole names.

    An expression becomes one of the names that it means: PEFT tries them with Python's engine, which some
    keep busy for ever.
    """
    if targets != ALL_LINEAR:
        names = (name for name, _ in model.named_modules())
        return settled(names, targets)
    from transformers.pytorch_utils import Conv1D

    return [
        name
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear | Conv1D) and name.partition(".")[0] not in heads
    ]
