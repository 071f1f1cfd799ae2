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
    """Weights and configuration of the UNet's adapter. Raises LorakitError with what PEFT cannot hold."""
    check_held(adapter, "PEFT's", ["lora", "loha", "lokr"], ["magnitude", "dora_scale"])
    texts = [name for name in adapter if not name.startswith("unet.")]
    if texts:
        raise LorakitError(
            f"PEFT's format holds one network, and this adapter has text encoders too: {texts[0]}"
        )
    layers = {name.removeprefix("unet."): layer for name, layer in adapter.items()}
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
    return {**_patterns(layers, ranks), "use_effective_conv2d": _tucker(layers, "hada_t1")}


def _tucker(layers: Mapping[str, Layer], role: str) -> bool:
    """Whether windows are in Tucker's form; PEFT writes all of a network's so, or none."""
    # a convolution's second matrix is wider than its layer where it is not
    return any(role in layer.tensors for layer in layers.values())


def _lokr(layers: Mapping[str, Layer]) -> dict[str, Any]:
    from peft.tuners.lokr.layer import factorization

    sizes = {name: _factors(layer) for name, layer in layers.items()}
    both = any("lokr_w1_a" in layer.tensors for layer in layers.values())
    ranks = {
        # of two whole matrices: a rank at which PEFT leaves them whole
        name: int(layer.rank) if "lokr_w2_a" in layer.tensors or "lokr_w1_a" in layer.tensors
        else max(sizes[name][1])
        for name, layer in layers.items()
    }  # fmt: skip
    choices = [-1, *sorted({size for (small, _) in sizes.values() for size in small})]
    for factor in choices:
        if all(
            _as_peft_splits(
                layers[name], sizes[name], ranks[name], factor, factorization, both=both
            )
            for name in layers
        ):
            return {
                **_patterns(layers, ranks),
                "decompose_both": both,
                "decompose_factor": factor,
                "use_effective_conv2d": _tucker(layers, "lokr_t2"),
            }
    raise LorakitError(
        "PEFT splits the layers of a LoKr by one factor, and this adapter's are split otherwise"
    )


def _factors(layer: Layer) -> tuple[tuple[int, int], tuple[int, int]]:
    """Rows and columns of the small matrix, and of the large one, with its windows where it is thin."""
    return _rows_columns(layer, "1"), _rows_columns(layer, "2")


def _rows_columns(layer: Layer, number: str) -> tuple[int, int]:
    t, stem = layer.tensors, f"lokr_w{number}"
    if stem in t:
        rows, columns = t[stem].shape[:2]
        return int(rows), int(columns)
    across = 1 if f"lokr_t{number}" in t else 0
    return int(t[f"{stem}_a"].shape[across]), int(t[f"{stem}_b"].shape[1])


def _as_peft_splits(
    layer: Layer,
    sizes: tuple[tuple[int, int], tuple[int, int]],
    rank: int,
    factor: int,
    factorization: Any,
    *,
    both: bool,
) -> bool:
    (rows, columns), (rows_too, columns_too) = sizes
    t = layer.tensors
    out = factorization(rows * rows_too, factor)
    if out != (rows, rows_too):
        return False
    whole_large = rank >= max(rows_too, columns_too) / 2
    if "lokr_w2" in t or "lokr_t2" in t:
        if factorization(columns * columns_too, factor) != (columns, columns_too):
            return False
    else:  # its columns have the window in them
        into = next(
            (w for w in (1, 9) if columns_too % w == 0
             and factorization(columns * columns_too // w, factor) == (columns, columns_too // w)),
            None,
        )  # fmt: skip
        if into is None:
            return False
        whole_large = rank >= max(rows_too, columns_too // into) / 2
    whole_small = not (both and rank < max(rows, columns) / 2)
    return whole_small == ("lokr_w1" in t) and whole_large == ("lokr_w2" in t)
