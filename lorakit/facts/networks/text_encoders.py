"""The text encoders of a model for pictures: their parameters, and where adapters go. Without torch."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lorakit.facts.files.weights_header import WeightsError, float_shapes, weights_header
from lorakit.facts.networks.unet_shapes import Shapes
from lorakit.families import Family

_ENDS = ("weight", "bias")
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


def clip_skip_limit(shapes: Shapes, family: Family) -> int | None:
    """How many of the last layers can be left out; None where they are not known."""
    depths = []
    for part in {name.partition(".")[0] for name in shapes}:
        found = (re.search(r"\.layers\.([0-9]+)\.", n) for n in shapes if n.startswith(f"{part}."))
        depths.append(max((int(match[1]) + 1 for match in found if match), default=0))
    if not depths or not min(depths):
        return None
    return min(depths) - (family.clip_layers or 0)


def shapes_of(config: Mapping[str, Any]) -> Shapes:
    """Every parameter of CLIP's text encoder by its published name, from its configuration."""
    width, inner = int(config["hidden_size"]), int(config["intermediate_size"])
    found: dict[str, tuple[int, ...]] = {
        "embeddings.token_embedding.weight": (int(config["vocab_size"]), width),
        "embeddings.position_embedding.weight": (int(config["max_position_embeddings"]), width),
    }
    for number in range(int(config["num_hidden_layers"])):
        at = f"encoder.layers.{number}"
        sizes = {
            f"self_attn.{name}": (width, width)
            for name in ("k_proj", "v_proj", "q_proj", "out_proj")
        }
        sizes |= {"mlp.fc1": (inner, width), "mlp.fc2": (width, inner)}
        for name, size in sizes.items():
            found |= {f"{at}.{name}.weight": size, f"{at}.{name}.bias": size[:1]}
        found |= {
            f"{at}.{n}.{end}": (width,) for n in ("layer_norm1", "layer_norm2") for end in _ENDS
        }
    found |= {f"final_layer_norm.{end}": (width,) for end in _ENDS}
    found = {f"text_model.{name}": size for name, size in found.items()}
    if "WithProjection" in "".join(config.get("architectures") or ()):
        found["text_projection.weight"] = (int(config["projection_dim"]), width)
    return found


def parameters(shapes: Shapes) -> int:
    """All parameters."""
    return sum(map(math.prod, shapes.values()))


def layers(shapes: Shapes) -> Shapes:
    """The shapes of linear weights by their layer's name, tables of embeddings among them."""
    return {name.removesuffix(".weight"): s for name, s in shapes.items() if len(s) == 2}
