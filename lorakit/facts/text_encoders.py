"""The text encoders of a model for pictures: their parameters, and where adapters go. Without torch."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

from lorakit.facts.unet_shapes import Shapes
from lorakit.facts.weights_header import WeightsError, float_shapes, weights_header

TARGETS = ("q_proj", "k_proj", "v_proj", "out_proj")  # as diffusers' own examples have them


def shapes_in(folder: Path, files: Iterable[str]) -> Shapes:
    """Every parameter by name, as weights' own headers tell; empty where one cannot be read."""
    found: dict[str, tuple[int, ...]] = {}
    for file in files:
        part, _, name = file.partition("/")
        if not (part.startswith("text_encoder") and name.endswith(".safetensors")):
            continue
        try:
            shapes = float_shapes(weights_header(folder / file))
        except (OSError, WeightsError):
            return {}
        found |= {f"{part}.{key}": shape for key, shape in shapes}
    return found


def parameters(shapes: Shapes) -> int:
    """All parameters."""
    return sum(map(math.prod, shapes.values()))


def layers(shapes: Shapes) -> Shapes:
    """The shapes of linear weights by their layer's name, tables of embeddings among them."""
    return {name.removesuffix(".weight"): s for name, s in shapes.items() if len(s) == 2}
