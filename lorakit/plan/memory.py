"""Which keys to change where memory is short: the same words before a run and after it ran out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorakit.families import FAMILIES

if TYPE_CHECKING:
    from lorakit.plan.tasks.training import TrainTask

DRAWING = (
    "smaller width and height, dtype: bf16 or fp16, a transformer's memory: low or minimal, "
    "or a smaller model need less"
)
# where the system ended a process, and how its training was set is not at hand
TRAINING = "write half the batch_size and twice the gradient_accumulation_steps"
_HALF = "write train.precision: bf16, in which weights that are not trained take half"


def way_out(task: TrainTask) -> str:
    """Which key of a training to change, and to what, so that it stays the same otherwise."""
    batch = task.train.batch_size
    samples = batch * task.train.gradient_accumulation_steps
    if batch > 1:
        # half, or where that is no whole number, the next less that leaves a step its samples
        half = max(size for size in range(1, batch // 2 + 1) if samples % size == 0)
        return (
            f"write batch_size: {half} and gradient_accumulation_steps: {samples // half}, "
            "which trains on as many samples a step"
        )
    if not task.train.gradient_checkpointing:
        return "write train.gradient_checkpointing: true"
    return _coarser(task) or _smaller(task)


def further(task: TrainTask) -> str:
    """What else makes a training need less; empty where `way_out` has said it all."""
    train = task.train
    named = train.batch_size == 1 or train.gradient_checkpointing
    keys = "" if named else "gradient_checkpointing: true, "
    if way_out(task) == _smaller(task):
        return ""
    rounded = "memory: low or minimal beside the model's from:, "
    if coarser := _coarser(task):
        keys += f"precision: bf16 with {rounded}" if coarser == _HALF else rounded
    return f"{keys}{_smaller(task)} need less too"


def _coarser(task: TrainTask) -> str:
    """The key that rounds frozen weights further; empty where there is none."""
    from lorakit.plan.tasks.training import TrainImageTask

    if not isinstance(task, TrainImageTask) or task.weight_bits == 4:
        return ""
    if not task.frozen:
        if FAMILIES[task.family].flow is None or task.method == "full":
            return ""  # a UNet's weights are kept in fp32
        return _HALF
    wish = "minimal" if task.weight_bits == 8 else "low"
    bits = {"low": 8, "minimal": 4}[wish]
    return (
        f"write memory: {wish} beside the model's from:, which keeps frozen weights in {bits} bits"
    )


def _smaller(task: TrainTask) -> str:
    from lorakit.plan.tasks.training import TrainTextTask

    size = "a shorter max_length" if isinstance(task, TrainTextTask) else "a smaller resolution"
    method = "method: lora" if task.method == "full" else "a LoRA of lower rank"
    return f"{size}, {method}, or a smaller model"
