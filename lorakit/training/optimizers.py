"""Optimizers by the names that recipes use."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from lorakit.diagnostics import LorakitError
from lorakit.training.task import LoopSettings


def optimizer_for(
    parameters: Iterable[nn.Parameter], settings: LoopSettings
) -> torch.optim.Optimizer:
    """The optimizer of a training. Raises LorakitError for a name that is not known."""
    given: dict[str, Any] = {"lr": settings.learning_rate, "weight_decay": settings.weight_decay}
    # a list: an iterator would be empty for whoever asks next, such as the clipping
    chosen = list(parameters)
    match settings.optimizer:
        case "adamw":
            return torch.optim.AdamW(chosen, fused=settings.device in ("cpu", "cuda"), **given)
        case "adafactor":
            return torch.optim.Adafactor(chosen, **given)
        case "sgd":
            return torch.optim.SGD(chosen, **given)
    raise LorakitError(f"there is no optimizer {settings.optimizer}")


def schedule_for(optimizer: torch.optim.Optimizer, settings: LoopSettings) -> Any:
    """The learning rate's way over the optimizer steps, from transformers."""
    from transformers.optimization import get_scheduler

    return get_scheduler(
        settings.lr_scheduler,
        optimizer,
        num_warmup_steps=settings.lr_warmup_steps,
        num_training_steps=settings.steps,
    )
