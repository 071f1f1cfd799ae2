"""The parameters of Stable Diffusion 3's transformer: of its configuration, and its configuration of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from lorakit.families.layers import Named, Shapes, linear, linears, norms
from lorakit.families.original import Original, blocks

_HEAD = 64  # channels of a head in all published sizes


def sd3_shapes(config: Mapping[str, Any]) -> Shapes:
    """Every parameter by name; what a configuration leaves out is that of the medium size."""
    return dict(_whole(config))


def _whole(config: Mapping[str, Any]) -> Named:
    head = int(config.get("attention_head_dim", _HEAD))
    width = int(config.get("num_attention_heads", 24)) * head
    into, patch = int(config.get("in_channels", 16)), int(config.get("patch_size", 2))
    yield "pos_embed.proj.weight", (width, into, patch, patch)
    yield "pos_embed.proj.bias", (width,)
    told = {"timestep": 256, "text": int(config.get("pooled_projection_dim", 2048))}
    for name, size in told.items():
        yield from linear(f"time_text_embed.{name}_embedder.linear_1", width, size)
        yield from linear(f"time_text_embed.{name}_embedder.linear_2", width, width)
    # a published size has as many channels here as inside
    words = int(config.get("caption_projection_dim", width))
    yield from linear("context_embedder", words, int(config.get("joint_attention_dim", 4096)))
    count, dual = int(config.get("num_layers", 24)), config.get("dual_attention_layers") or ()
    normed = bool(config.get("qk_norm"))
    for number in range(count):
        last, twice = number == count - 1, number in dual
        at = f"transformer_blocks.{number}"
        yield from linear(f"{at}.norm1.linear", (9 if twice else 6) * width, width)
        yield from linear(f"{at}.norm1_context.linear", (2 if last else 6) * width, width)
        for attention in ("attn", "attn2")[: 2 if twice else 1]:
            yield from _attention(f"{at}.{attention}", width, head if normed else 0)
        yield from _words(f"{at}.attn", width, head if normed else 0, last=last)
        for part in ("ff", "ff_context")[: 1 if last else 2]:
            yield from linear(f"{at}.{part}.net.0.proj", 4 * width, width)
            yield from linear(f"{at}.{part}.net.2", width, 4 * width)
    yield from linear("norm_out.linear", 2 * width, width)
    out = int(config.get("out_channels") or into)
    yield from linear("proj_out", patch * patch * out, width)


def _attention(at: str, width: int, head: int) -> Named:
    yield from linears(at, ("to_q", "to_k", "to_v", "to_out.0"), width, width)
    yield from norms(at, ("norm_q", "norm_k") if head else (), head)


def _words(at: str, width: int, head: int, *, last: bool) -> Named:
    yield from linears(at, ("add_q_proj", "add_k_proj", "add_v_proj"), width, width)
    yield from norms(at, ("norm_added_q", "norm_added_k") if head else (), head)
    if not last:
        yield from linear(f"{at}.to_add_out", width, width)


def _config(shapes: Shapes) -> Mapping[str, Any]:
    words, joint = shapes["context_embedder.weight"]
    width, into, patch, _ = shapes["x_embedder.proj.weight"]
    normed = "joint_blocks.0.x_block.attn.ln_q.weight"
    head = shapes[normed][0] if normed in shapes else _HEAD
    count = blocks(shapes, "joint_blocks")
    dual = [n for n in range(count) if f"joint_blocks.{n}.x_block.attn2.qkv.weight" in shapes]
    return {
        "num_layers": count,
        "attention_head_dim": head,
        "num_attention_heads": max(1, width // head),
        "caption_projection_dim": words,
        "joint_attention_dim": joint,
        "pooled_projection_dim": shapes["y_embedder.mlp.0.weight"][1],
        "in_channels": into,
        "out_channels": shapes["final_layer.linear.weight"][0] // patch**2,
        "patch_size": patch,
        "pos_embed_max_size": math.isqrt(shapes["pos_embed"][1]),
        "dual_attention_layers": dual,
        "qk_norm": "rms_norm" if normed in shapes else None,
    }


SD3_ORIGINAL = Original(
    marks=("joint_blocks.0.context_block.adaLN_modulation.1.bias",),
    config=_config,
    texts={"clip_l": "text_encoder", "clip_g": "text_encoder_2", "t5xxl": "text_encoder_3"},
    buffers=("pos_embed",),
)
