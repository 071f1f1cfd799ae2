"""The parameters of Z-Image's transformer, names and shapes, from its configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lorakit.families.layers import Named, Shapes, linear, linears, norms

_TIMES = 256  # channels of a timestep


def z_image_shapes(config: Mapping[str, Any]) -> Shapes:
    """Every parameter by name; what a configuration leaves out is as published."""
    return dict(_whole(config))


def _whole(config: Mapping[str, Any]) -> Named:
    width = int(config.get("dim", 3840))
    heads = int(config.get("n_heads", 30))
    head = width // max(1, heads)
    words = int(config.get("cap_feat_dim", 2560))
    into = int(config.get("in_channels", 16))
    told = min(width, _TIMES)
    patches = zip(
        config.get("all_patch_size", (2,)), config.get("all_f_patch_size", (1,)), strict=False
    )
    for patch, films in patches:
        read = films * patch * patch * into
        at = f"{patch}-{films}"
        yield from linear(f"all_x_embedder.{at}", width, read)
        yield from linear(f"all_final_layer.{at}.linear", read, width)
        yield from linear(f"all_final_layer.{at}.adaLN_modulation.1", width, told)
    yield "x_pad_token", (1, width)
    yield "cap_pad_token", (1, width)
    refiners = int(config.get("n_refiner_layers", 2))
    shared = int(config.get("n_kv_heads", heads)) * head
    blocks = {
        "noise_refiner": refiners,
        "context_refiner": refiners,
        "layers": int(config.get("n_layers", 30)),
    }
    for name, count in blocks.items():
        for number in range(count):
            timed = name != "context_refiner"
            yield from _block(f"{name}.{number}", width, head, shared, told if timed else 0)
    yield from linear("t_embedder.mlp.0", 1024, _TIMES)
    yield from linear("t_embedder.mlp.2", told, 1024)
    yield "cap_embedder.0.weight", (words,)
    yield from linear("cap_embedder.1", width, words)


def _block(at: str, width: int, head: int, shared: int, told: int) -> Named:
    inner = int(width / 3 * 8)
    yield from norms(f"{at}.attention", ("norm_q", "norm_k"), head)
    yield from linears(f"{at}.attention", ("to_q", "to_out.0"), width, width, bias=False)
    yield from linears(f"{at}.attention", ("to_k", "to_v"), shared, width, bias=False)
    yield from linears(f"{at}.feed_forward", ("w1", "w3"), inner, width, bias=False)
    yield from linear(f"{at}.feed_forward.w2", width, inner, bias=False)
    four = ("attention_norm1", "attention_norm2", "ffn_norm1", "ffn_norm2")
    yield from norms(at, four, width)
    if told:
        yield from linear(f"{at}.adaLN_modulation.0", 4 * width, told)
