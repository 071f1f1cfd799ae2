"""Whether a classifier that was saved says, in a fresh process, what it said when it was trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lorakit.diagnostics import LorakitError
from lorakit.facts.machine.devices import HOST
from lorakit.models.processor import exact_fp32
from lorakit.training.reload import in_fresh_process

TOLERANCE = 1e-4  # of fp32 logits, absolute: other sums in another process


def check(
    folder: Path,
    base: Path,
    labels: Sequence[str],
    batch: Mapping[str, Tensor],
    expected: Tensor,
    *,
    full: bool,
    device: str = HOST,
) -> float:
    """Have a fresh process load `folder` to the `device`; returns the greatest difference of its logits.

    Raises LorakitError where it cannot be loaded or says something else.
    """
    tensors = {name: tensor for name, tensor in batch.items() if name != "labels"}
    words: dict[str, object] = {
        "folder": str(folder),
        "base": str(base),
        "labels": list(labels),
        "full": full,
    }
    words["device"] = device
    figures = in_fresh_process("train-text", folder, words, {**tensors, "expected": expected})
    difference = figures["difference"]
    if not difference <= TOLERANCE:
        raise LorakitError(
            f"what was saved says something else once it is loaded: logits differ by {difference:.2g}"
        )
    return difference


def compared(words: Mapping[str, Any], tensors: dict[str, Tensor]) -> dict[str, float]:
    """The greatest difference between the logits of what was saved and those `expected`."""
    from lorakit.training.text_model import load

    expected = tensors.pop("expected")
    model = load(Path(words["folder"]), Path(words["base"]), words["labels"], full=words["full"])
    model.to(words["device"])
    batch = {name: tensor.to(words["device"]) for name, tensor in tensors.items()}
    return {"difference": float((logits(model, batch).cpu() - expected).abs().max())}


def logits(model: Any, batch: Mapping[str, Tensor]) -> Tensor:
    """fp32 logits (B, labels) of a model as it stands."""
    model.eval()
    with torch.inference_mode(), exact_fp32():
        inputs = {name: tensor for name, tensor in batch.items() if name != "labels"}
        return model(**inputs).logits.float().clone()
