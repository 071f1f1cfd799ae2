"""The text encoders of a model for pictures: their parameters, and where adapters go. Without torch."""

from __future__ import annotations

import math
import re
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


def clip_skip_limit(shapes: Shapes, family: str) -> int | None:
    """How many of the last layers can be left out; None where they are not known."""
    depths = []
    for part in {name.partition(".")[0] for name in shapes}:
        found = (re.search(r"\.layers\.([0-9]+)\.", n) for n in shapes if n.startswith(f"{part}."))
        depths.append(max((int(match[1]) + 1 for match in found if match), default=0))
    if not depths or not min(depths):
        return None
    return min(depths) - (2 if family == "sdxl" else 1)  # of SDXL's the last never counts


def parameters(shapes: Shapes) -> int:
    """All parameters."""
    return sum(map(math.prod, shapes.values()))


def layers(shapes: Shapes) -> Shapes:
    """The shapes of linear weights by their layer's name, tables of embeddings among them."""
    return {name.removesuffix(".weight"): s for name, s in shapes.items() if len(s) == 2}
