"""Configurations of autoencoders and text encoders that stand beside a transformer in one file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lorakit.facts.files.weights_header import WeightsHeader as Header
from lorakit.facts.models.original_transformers import original_of
from lorakit.facts.models.single_file_configs import shape_of, text_config, vae_config
from lorakit.families import Family


def part_config(
    header: Header, family: Family, name: str, base: Mapping[str, Any]
) -> dict[str, Any]:
    """That of a part which the file holds: `base` with the sizes of its tensors."""
    if name == "vae":
        whole = any(key.startswith("vae.") for key in header.tensors)
        return {**base, **vae_config(header, "vae." if whole else "first_stage_model.")}
    called = next(key for key, part in original_of(family).texts.items() if part == name)
    prefix = f"text_encoders.{called}.transformer."
    if f"{prefix}shared.weight" in header.tensors:
        return {**base, **_t5(header, prefix)}
    own = text_config(header, f"{prefix}text_model.", open_clip=False)
    projection = shape_of(header, f"{prefix}text_projection.weight")
    if own:
        own["projection_dim"] = projection[0] if projection else own["hidden_size"]
    return {**base, **own}


def _t5(header: Header, prefix: str) -> dict[str, Any]:
    """What T5's tensors say of it."""
    at = f"{prefix}encoder.block.0.layer"
    words = shape_of(header, f"{prefix}shared.weight")
    inner = shape_of(header, f"{at}.0.SelfAttention.q.weight")
    heads = shape_of(header, f"{at}.0.SelfAttention.relative_attention_bias.weight")
    wide = shape_of(header, f"{at}.1.DenseReluDense.wi_0.weight")
    if not (len(words) == len(inner) == len(heads) == len(wide) == 2 and heads[1]):
        return {}
    pattern = re.compile(rf"{re.escape(prefix)}encoder\.block\.(\d+)\.")
    layers = {found[1] for key in header.tensors if (found := pattern.match(key))}
    return {
        "vocab_size": words[0],
        "d_model": words[1],
        "num_heads": heads[1],
        "d_kv": inner[0] // heads[1],
        "d_ff": wide[0],
        "num_layers": len(layers),
        "num_decoder_layers": len(layers),
    }
