"""The figures by which steps can be told from each other: what stands in their metrics.json as a number."""

from __future__ import annotations

_COST = ("training_seconds", "wall_seconds", "steps_per_second", "peak_memory")
_SIZE = ("trainable_parameters", "saved_bytes")
FIGURES = {
    "train-text": ("accuracy", "macro_f1", "held_out_loss", *_COST, *_SIZE),
    # the loss of held-out pictures, or where none are held out of the trained ones, at fixed noise
    "train-image": ("held_out_loss", "fixed_loss", *_COST, *_SIZE),
    "storyboard": ("change_from_previous", "change_from_first"),
    "generate": (),
}
