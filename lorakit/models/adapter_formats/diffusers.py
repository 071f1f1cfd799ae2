"""diffusers' format: `pytorch_lora_weights.safetensors`, for LoRA alone."""

from __future__ import annotations

import json
from collections.abc import Mapping

from torch import Tensor

from lorakit.facts.adapters.layers import NETWORKS
from lorakit.facts.adapters.layout import METADATA
from lorakit.models.adapter_formats.held import all_or_none_dora, check_held, peft_magnitude
from lorakit.models.adapter_formats.layers import Adapter, File, Layer


def to_diffusers(adapter: Adapter) -> File:
    """Tensors and header; alpha stands in the header, or it would load as the rank.

    Raises LorakitError with what the format cannot hold.
    """
    check_held(adapter, "diffusers'", ["lora"], ["down", "up", "magnitude", "dora_scale"])
    tensors: dict[str, Tensor] = {}
    config: dict[str, object] = {}
    for name, layer in adapter.items():
        tensors |= lora_tensors(name, layer)
    for network in NETWORKS:
        inside = {
            name.removeprefix(f"{network}."): layer
            for name, layer in adapter.items()
            if name.startswith(f"{network}.")
        }
        config |= {f"{network}.{key}": value for key, value in lora_config(inside).items()}
    return tensors, {"format": "pt", METADATA: json.dumps(config, sort_keys=True)}


def lora_tensors(stem: str, layer: Layer) -> dict[str, Tensor]:
    """A LoRA's tensors under PEFT's names. Raises LorakitError for a DoRA that PEFT has not."""
    tensors = {
        f"{stem}.lora_A.weight": layer.tensors["down"],
        f"{stem}.lora_B.weight": layer.tensors["up"],
    }
    magnitude = peft_magnitude(layer, stem)
    if magnitude is not None:
        tensors[f"{stem}.lora_magnitude_vector"] = magnitude
    return tensors


def lora_config(layers: Mapping[str, Layer]) -> dict[str, object]:
    """A LoraConfig's arguments for layers by their path inside one network; empty for none."""
    if not layers:
        return {}
    # endings of names: transformers 5 has no text_model in its own, and files keep it
    short = {name.removeprefix("text_model."): layer for name, layer in layers.items()}
    first = next(iter(short.values()))
    ranks = {name: int(layer.rank) for name, layer in short.items()}
    return {
        "r": int(first.rank),
        "lora_alpha": first.alpha,
        "target_modules": sorted(short),
        "rank_pattern": {name: rank for name, rank in ranks.items() if rank != first.rank},
        "alpha_pattern": {n: v.alpha for n, v in short.items() if v.alpha != first.alpha},
        "use_dora": all_or_none_dora(short, "the format"),
    }
