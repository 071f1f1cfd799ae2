"""The parameters of Qwen-Image's transformer, names and shapes, from its configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lorakit.families.layers import Named, Shapes, linear, linears, norms


def qwen_image_shapes(config: Mapping[str, Any]) -> Shapes:
    """Every parameter by name; what a configuration leaves out is as published."""
    return dict(_whole(config))


def _whole(config: Mapping[str, Any]) -> Named:
    head = int(config.get("attention_head_dim", 128))
    width = int(config.get("num_attention_heads", 24)) * head
    words = int(config.get("joint_attention_dim", 3584))
    into, patch = int(config.get("in_channels", 64)), int(config.get("patch_size", 2))
    at = "time_text_embed.timestep_embedder"
    yield from linear(f"{at}.linear_1", width, 256)
    yield from linear(f"{at}.linear_2", width, width)
    yield "txt_norm.weight", (words,)
    yield from linear("img_in", width, into)
    yield from linear("txt_in", width, words)
    for number in range(int(config.get("num_layers", 60))):
        at = f"transformer_blocks.{number}"
        yield from norms(f"{at}.attn", ("norm_q", "norm_k", "norm_added_q", "norm_added_k"), head)
        yield from linears(f"{at}.attn", ("to_q", "to_k", "to_v", "to_out.0"), width, width)
        added = ("add_q_proj", "add_k_proj", "add_v_proj", "to_add_out")
        yield from linears(f"{at}.attn", added, width, width)
        for stream in ("img", "txt"):
            yield from linear(f"{at}.{stream}_mod.1", 6 * width, width)
            yield from linear(f"{at}.{stream}_mlp.net.0.proj", 4 * width, width)
            yield from linear(f"{at}.{stream}_mlp.net.2", width, 4 * width)
    yield from linear("norm_out.linear", 2 * width, width)
    yield from linear("proj_out", patch * patch * int(config.get("out_channels", 16)), width)
