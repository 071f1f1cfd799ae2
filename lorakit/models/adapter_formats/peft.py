"""PEFT's format: a folder with `adapter_model.safetensors` and `adapter_config.json`, of one network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from lorakit.diagnostics import LorakitError
from lorakit.facts.adapters.layout import PEFT_CONFIG
from lorakit.facts.adapters.places import PEFT_PREFIX
from lorakit.models.adapter_formats.diffusers import lora_config, lora_tensors
from lorakit.models.adapter_formats.held import check_held
from lorakit.models.adapter_formats.layers import Adapter, File, Layer


def to_peft(adapter: Adapter) -> tuple[File, dict[str, object]]:
    """Weights and configuration of the denoiser's adapter. Raises LorakitError with what PEFT cannot hold."""
    check_held(adapter, "PEFT's", ["lora", "loha", "lokr"], ["magnitude", "dora_scale"])
    texts = [name for name in adapter if name.startswith("text_encoder")]
    if texts:
        raise LorakitError(
            f"PEFT's format holds one network, and this adapter has text encoders too: {texts[0]}"
        )
    layers = {name.partition(".")[2]: layer for name, layer in adapter.items()}
    methods = sorted({layer.method for layer in layers.values()})
    if len(methods) > 1:
        raise LorakitError(
            f"PEFT's format holds one method, and this adapter is of {' and '.join(methods)}"
        )
    tensors: dict[str, Tensor] = {}
    for name, layer in layers.items():
        stem = f"{PEFT_PREFIX}{name}"
        if layer.method == "lora":
            tensors |= lora_tensors(stem, layer)
        elif "dora_scale" in layer.tensors:
            raise LorakitError(
                f"PEFT has DoRA of LoRA alone, and this is of {layer.method}: {name}"
            )
        else:
            tensors |= {f"{stem}.{role}": tensor for role, tensor in layer.tensors.items()}
    write = {"lora": _lora, "loha": _loha, "lokr": _lokr}[methods[0]]
    settings = {"peft_type": methods[0].upper(), **write(layers)}
    header = {"format": "pt", PEFT_CONFIG: json.dumps(settings, sort_keys=True)}
    return (tensors, header), settings


def _lora(layers: Mapping[str, Layer]) -> dict[str, Any]:
    return lora_config(layers)


def _patterns(layers: Mapping[str, Layer], ranks: Mapping[str, int]) -> dict[str, Any]:
    """PEFT's words for ranks and alphas of LoHa and LoKr."""
    alphas = {name: layer.scale * ranks[name] for name, layer in layers.items()}
    first = next(iter(layers))
    return {
        "r": ranks[first],
        "alpha": alphas[first],
        "target_modules": sorted(layers),
        "rank_pattern": {name: r for name, r in ranks.items() if r != ranks[first]},
        "alpha_pattern": {name: a for name, a in alphas.items() if a != alphas[first]},
    }


def _loha(layers: Mapping[str, Layer]) -> dict[str, Any]:
    ranks = {name: int(layer.rank) for name, layer in layers.items()}
    return {
        **_patterns(layers, ranks),
        "use_effective_conv2d": _tucker(layers, "hada_t1", "hada_w1_a"),
    }


def _window(name: str) -> int:
    """Places of a layer's window: a UNet's convolutions look at 3x3, but those between channels alone."""
    return 9 if name.endswith(("conv", "conv1", "conv2", "conv_in", "conv_out")) else 1


def _tucker(layers: Mapping[str, Layer], core: str, thin: str) -> bool:
    """Whether windows are in Tucker's form, all of a network's as PEFT has it. Raises LorakitError."""
    windowed = [name for name, v in layers.items() if _window(name) > 1 and thin in v.tensors]
    plain = [name for name in windowed if core not in layers[name].tensors]
    if plain and len(plain) < len(windowed):
        raise LorakitError(
            f"PEFT's format has all windows in Tucker's form or none, and here it is not: {plain[0]}"
        )
    return any(core in layer.tensors for layer in layers.values())


def _lokr(layers: Mapping[str, Layer]) -> dict[str, Any]:
    sizes = {name: _factors(name, layer) for name, layer in layers.items()}
    both = any("lokr_w1_a" in layer.tensors for layer in layers.values())
    ranks = {
        # of two whole matrices: a rank at which PEFT leaves them whole
        name: int(layer.rank) if {"lokr_w2_a", "lokr_w1_a"} & set(layer.tensors) else max(sizes[name][1])
        for name, layer in layers.items()
    }  # fmt: skip
    for factor in (-1, *sorted({side for small, _ in sizes.values() for side in small})):
        if all(_split_so(v, sizes[n], ranks[n], factor, both=both) for n, v in layers.items()):
            return {
                **_patterns(layers, ranks),
                "decompose_both": both,
                "decompose_factor": factor,
                "use_effective_conv2d": _tucker(layers, "lokr_t2", "lokr_w2_a"),
            }
    raise LorakitError(
        "PEFT splits the layers of a LoKr by one factor, and this adapter's are split otherwise"
    )


def _factors(name: str, layer: Layer) -> tuple[tuple[int, int], tuple[int, int]]:
    """Rows and columns of the small matrix, and of the large one without its window."""
    rows, columns = _rows_columns(layer, "2")
    flattened = "lokr_w2" not in layer.tensors and "lokr_t2" not in layer.tensors
    return _rows_columns(layer, "1"), (rows, columns // _window(name) if flattened else columns)


def _rows_columns(layer: Layer, number: str) -> tuple[int, int]:
    t, stem = layer.tensors, f"lokr_w{number}"
    if stem in t:
        rows, columns = t[stem].shape[:2]
        return int(rows), int(columns)
    across = 1 if f"lokr_t{number}" in t else 0
    return int(t[f"{stem}_a"].shape[across]), int(t[f"{stem}_b"].shape[1])


def _split_so(
    layer: Layer,
    sizes: tuple[tuple[int, int], tuple[int, int]],
    rank: int,
    factor: int,
    *,
    both: bool,
) -> bool:
    """Whether PEFT would make matrices of these sizes with these settings."""
    from peft.tuners.lokr.layer import factorization

    small, large = sizes
    split = [factorization(one * other, factor) for one, other in zip(small, large, strict=True)]
    whole_small = not (both and rank < max(small) / 2)
    whole_large = rank >= max(large) / 2
    return (
        split == list(zip(small, large, strict=True))
        and whole_small == ("lokr_w1" in layer.tensors)
        and whole_large == ("lokr_w2" in layer.tensors)
    )
