"""The layers of a UNet that an adapter can be put on, and the parameters that adapter has. Without torch."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from lorakit.facts.models import ModelFacts
from lorakit.facts.unet_shapes import shapes_of
from lorakit.language.trainings import LoraSettings

Sizes = Mapping[str, tuple[int, ...]]


def layer_sizes(model: ModelFacts) -> Sizes:
    """The shapes of linear and convolution weights by their layer's name; empty for UNets of other blocks."""
    return {
        name.removesuffix(".weight"): shape
        for name, shape in shapes_of(model.unet).items()
        if name.endswith(".weight") and len(shape) in (2, 4)
    }


def total(model: ModelFacts) -> int | None:
    """All parameters of the UNet; None if its blocks are not known."""
    return sum(map(math.prod, shapes_of(model.unet).values())) or None


def hit(name: str, targets: Sequence[str] | str) -> bool:
    """Whether a layer gets an adapter, by PEFT's rules for names."""
    if isinstance(targets, str):
        return re.fullmatch(targets, name) is not None
    return any(name == one or name.endswith(f".{one}") for one in targets)


def trainable(sizes: Sizes, targets: Sequence[str] | str, lora: LoraSettings) -> int | None:
    """Parameters of an adapter: rank * (in + out) for a layer, and DoRA's out; None if unknown."""
    if not sizes:
        return None
    count = 0
    for name, shape in sizes.items():
        if hit(name, targets):
            out, into = shape[0], math.prod(shape[1:])
            count += lora.rank * (into + out) + (out if lora.use_dora else 0)
    return count
