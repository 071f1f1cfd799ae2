"""How much a UNet has to multiply for one picture, from its configuration. Without torch."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from lorakit.facts.models.model_facts import ModelFacts
from lorakit.facts.networks.unet_shapes import TOKENS, level_of, shapes_of


def operations(config: Mapping[str, Any], positions: float) -> float:
    """Floating-point operations of a forward pass at so many latent `positions`; 0 for unknown blocks.

    A multiplication and an addition are two.
    """
    levels = len(config.get("block_out_channels", ()))
    return sum(
        _of(name, shape, positions / 4 ** level_of(name, levels))
        for name, shape in shapes_of(config).items()
        if name.endswith(".weight") and len(shape) > 1
    )


def of_model(model: ModelFacts, positions: float) -> float:
    """The same of a model's denoiser; a guess by the size of its weights where its blocks are not known."""
    if not model.unet and model.traits.denoiser != "unet":
        from lorakit.facts.models import transformer_work

        return transformer_work.operations(model, positions)
    return operations(model.unet, positions) or model.weight_bytes * positions / 8


def _of(name: str, shape: tuple[int, ...], here: float) -> float:
    each = 2.0 * math.prod(shape)
    if re.search(r"time_emb_proj|(time|add)_embedding", name):
        return each
    if re.search(r"attn2\.to_[kv]", name):
        # beside them each position's scores over the caption's tokens, and what these weigh
        return TOKENS * (each + 2 * here * shape[0])
    if ".upsamplers." in name:  # it works at twice the size that comes in
        return each * 4 * here
    if ".downsamplers." in name:
        return each * here / 4
    if re.search(r"attn1\.to_[kv]", name):
        return here * (each + 2 * here * shape[0])
    return each * here
