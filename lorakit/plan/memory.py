"""Which keys to change where memory is short: the same words before a run and after it ran out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DRAWING = "smaller width and height, dtype: bf16 or fp16, or a smaller model need less"
# where the system ended a process, and how its training was set is not at hand
TRAINING = "write half the batch_size and twice the gradient_accumulation_steps"


def way_out(params: Mapping[str, Any]) -> str:
    """Which key of a training to change, and to what, so that it stays the same otherwise.

    `params` are those of its action.
    """
    train: Mapping[str, Any] = params.get("train", {})
    batch = int(train.get("batch_size", 1))
    samples = batch * int(train.get("gradient_accumulation_steps", 1))
    if batch > 1:
        # half, or where that is no whole number, the next less that leaves a step its samples
        half = max(size for size in range(1, batch // 2 + 1) if samples % size == 0)
        return (
            f"write batch_size: {half} and gradient_accumulation_steps: {samples // half}, "
            "which trains on as many samples a step"
        )
    if not train.get("gradient_checkpointing"):
        return "write train.gradient_checkpointing: true"
    return _smaller(params)


def further(params: Mapping[str, Any]) -> str:
    """What else makes a training need less."""
    batch = int(params.get("train", {}).get("batch_size", 1))
    checkpointing = params.get("train", {}).get("gradient_checkpointing")
    keys = "" if batch == 1 or checkpointing else "gradient_checkpointing: true, "
    return f"{keys}{_smaller(params)} need less too"


def _smaller(params: Mapping[str, Any]) -> str:
    size = "a shorter max_length" if "max_length" in params else "a smaller resolution"
    method = "method: lora" if params.get("method") == "full" else "a LoRA of lower rank"
    return f"{size}, {method}, or a smaller model"
