"""Optimizers by the names that recipes use."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from lorakit.diagnostics import LorakitError
from lorakit.facts.machine.devices import DEVICES
from lorakit.facts.machine.packages import MODULES, install
from lorakit.training.task import LoopSettings

_TEXT_ENCODERS = "text_encoder"  # how the names of their parameters begin


def optimizer_for(
    parameters: Mapping[str, nn.Parameter], settings: LoopSettings
) -> torch.optim.Optimizer:
    """The optimizer of a training; text encoders may have a learning rate of their own.

    Raises LorakitError for a name that is not known, or a missing package.
    """
    given: dict[str, Any] = {"lr": settings.learning_rate, "weight_decay": settings.weight_decay}
    chosen = _groups(parameters, settings.text_encoder_learning_rate)
    match settings.optimizer:
        case "adamw":
            return torch.optim.AdamW(chosen, fused=DEVICES[settings.device].fused_adamw, **given)
        case "sgd":
            return torch.optim.SGD(chosen, **given)
        case "adafactor":
            from transformers.optimization import Adafactor

            # the recipe's learning rate and schedule, instead of ones of its own
            fixed = {"scale_parameter": False, "relative_step": False, "warmup_init": False}
            optimizer: torch.optim.Optimizer = Adafactor(chosen, **fixed, **given)
        case "adamw_8bit":
            optimizer = _library(settings.optimizer).optim.AdamW8bit(chosen, **given)
        case "lion":
            optimizer = _library(settings.optimizer).Lion(chosen, **given)
        case "prodigy":
            # as diffusers' examples set it: a long warm-up would let its own estimate run away
            safe = {"use_bias_correction": True, "safeguard_warmup": True}
            optimizer = _library(settings.optimizer).Prodigy(chosen, **safe, **given)
        case _:
            raise LorakitError(f"there is no optimizer {settings.optimizer}")
    return optimizer


def _groups(parameters: Mapping[str, nn.Parameter], text_encoder: float) -> list[Any]:
    """The parameters, or where `text_encoder` is a learning rate two groups of them, without an empty one."""
    if not text_encoder:
        return list(parameters.values())
    words = [p for name, p in parameters.items() if name.startswith(_TEXT_ENCODERS)]
    others = [p for name, p in parameters.items() if not name.startswith(_TEXT_ENCODERS)]
    groups: list[dict[str, Any]] = [{"params": others}, {"params": words, "lr": text_encoder}]
    return [group for group in groups if group["params"]]


def _library(name: str) -> Any:
    try:
        return importlib.import_module(MODULES[name])
    except ImportError as error:
        raise LorakitError(f"optimizer: {name} needs {MODULES[name]}: {install(name)}") from error


def schedule_for(optimizer: torch.optim.Optimizer, settings: LoopSettings) -> Any:
    """The learning rate's way over the optimizer steps, from transformers."""
    from transformers.optimization import get_scheduler

    cycles = {"num_cycles": settings.lr_num_cycles}
    return get_scheduler(
        settings.lr_scheduler,
        optimizer,
        num_warmup_steps=settings.lr_warmup_steps,
        num_training_steps=settings.steps,
        scheduler_specific_kwargs=cycles
        if settings.lr_scheduler == "cosine_with_restarts"
        else None,
    )
