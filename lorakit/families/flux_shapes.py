"""The parameters of Flux.1's transformer: of its configuration, and its configuration of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lorakit.families.layers import Named, Shapes, linear, linears, norms
from lorakit.families.original import Original, blocks


def flux_shapes(config: Mapping[str, Any]) -> Shapes:
    """Every parameter by name; what a configuration leaves out is Flux.1-dev's."""
    return dict(_whole(config))


def _whole(config: Mapping[str, Any]) -> Named:
    head = int(config.get("attention_head_dim", 128))
    width = int(config.get("num_attention_heads", 24)) * head
    into = int(config.get("in_channels", 64))
    yield from linear("x_embedder", width, into)
    yield from linear("context_embedder", width, int(config.get("joint_attention_dim", 4096)))
    told = {"timestep": 256, "text": int(config.get("pooled_projection_dim", 768))}
    told |= {"guidance": 256} if config.get("guidance_embeds") else {}
    for name, size in told.items():
        yield from linear(f"time_text_embed.{name}_embedder.linear_1", width, size)
        yield from linear(f"time_text_embed.{name}_embedder.linear_2", width, width)
    for number in range(int(config.get("num_layers", 19))):
        yield from _double(f"transformer_blocks.{number}", width, head)
    for number in range(int(config.get("num_single_layers", 38))):
        yield from _single(f"single_transformer_blocks.{number}", width, head)
    yield from linear("norm_out.linear", 2 * width, width)
    patch, out = int(config.get("patch_size", 1)), config.get("out_channels") or into
    yield from linear("proj_out", patch * patch * int(out), width)


def _double(at: str, width: int, head: int) -> Named:
    for norm in ("norm1", "norm1_context"):
        yield from linear(f"{at}.{norm}.linear", 6 * width, width)
    yield from norms(f"{at}.attn", ("norm_q", "norm_k", "norm_added_q", "norm_added_k"), head)
    yield from linears(f"{at}.attn", ("to_q", "to_k", "to_v", "to_out.0"), width, width)
    added = ("add_q_proj", "add_k_proj", "add_v_proj", "to_add_out")
    yield from linears(f"{at}.attn", added, width, width)
    for part in ("ff", "ff_context"):
        yield from linear(f"{at}.{part}.net.0.proj", 4 * width, width)
        yield from linear(f"{at}.{part}.net.2", width, 4 * width)


def _single(at: str, width: int, head: int) -> Named:
    yield from linear(f"{at}.norm.linear", 3 * width, width)
    yield from linear(f"{at}.proj_mlp", 4 * width, width)
    yield from linear(f"{at}.proj_out", width, 5 * width)
    yield from norms(f"{at}.attn", ("norm_q", "norm_k"), head)
    yield from linears(f"{at}.attn", ("to_q", "to_k", "to_v"), width, width)


def _config(shapes: Shapes) -> Mapping[str, Any]:
    width, into = shapes["img_in.weight"]
    head = shapes["double_blocks.0.img_attn.norm.key_norm.scale"][0]
    return {
        "num_layers": blocks(shapes, "double_blocks"),
        "num_single_layers": blocks(shapes, "single_blocks"),
        "attention_head_dim": head,
        "num_attention_heads": max(1, width // max(1, head)),
        "in_channels": into,
        "joint_attention_dim": shapes["txt_in.weight"][1],
        "pooled_projection_dim": shapes["vector_in.in_layer.weight"][1],
        "guidance_embeds": "guidance_in.in_layer.weight" in shapes,
    }


FLUX_ORIGINAL = Original(
    marks=("double_blocks.0.img_attn.norm.key_norm.scale", "vector_in.in_layer.weight"),
    config=_config,
    texts={"clip_l": "text_encoder", "t5xxl": "text_encoder_2"},
)
