"""The parameters of Flux.1's transformer, names and shapes, from its configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Shapes = Mapping[str, tuple[int, ...]]
Named = Iterator[tuple[str, tuple[int, ...]]]


def flux_shapes(config: Mapping[str, Any]) -> Shapes:
    """Every parameter by name; what a configuration leaves out is Flux.1-dev's."""
    return dict(_whole(config))


def _whole(config: Mapping[str, Any]) -> Named:
    head = int(config.get("attention_head_dim", 128))
    width = int(config.get("num_attention_heads", 24)) * head
    into = int(config.get("in_channels", 64))
    yield from _linear("x_embedder", width, into)
    yield from _linear("context_embedder", width, int(config.get("joint_attention_dim", 4096)))
    told = {"timestep": 256, "text": int(config.get("pooled_projection_dim", 768))}
    told |= {"guidance": 256} if config.get("guidance_embeds") else {}
    for name, size in told.items():
        yield from _linear(f"time_text_embed.{name}_embedder.linear_1", width, size)
        yield from _linear(f"time_text_embed.{name}_embedder.linear_2", width, width)
    for number in range(int(config.get("num_layers", 19))):
        yield from _double(f"transformer_blocks.{number}", width, head)
    for number in range(int(config.get("num_single_layers", 38))):
        yield from _single(f"single_transformer_blocks.{number}", width, head)
    yield from _linear("norm_out.linear", 2 * width, width)
    patch, out = int(config.get("patch_size", 1)), config.get("out_channels") or into
    yield from _linear("proj_out", patch * patch * int(out), width)


def _linear(at: str, out: int, into: int) -> Named:
    yield f"{at}.weight", (out, into)
    yield f"{at}.bias", (out,)


def _double(at: str, width: int, head: int) -> Named:
    for norm in ("norm1", "norm1_context"):
        yield from _linear(f"{at}.{norm}.linear", 6 * width, width)
    for norm in ("norm_q", "norm_k", "norm_added_q", "norm_added_k"):
        yield f"{at}.attn.{norm}.weight", (head,)
    for layer in ("to_q", "to_k", "to_v", "to_out.0"):
        yield from _linear(f"{at}.attn.{layer}", width, width)
    for layer in ("add_q_proj", "add_k_proj", "add_v_proj", "to_add_out"):
        yield from _linear(f"{at}.attn.{layer}", width, width)
    for part in ("ff", "ff_context"):
        yield from _linear(f"{at}.{part}.net.0.proj", 4 * width, width)
        yield from _linear(f"{at}.{part}.net.2", width, 4 * width)


def _single(at: str, width: int, head: int) -> Named:
    yield from _linear(f"{at}.norm.linear", 3 * width, width)
    yield from _linear(f"{at}.proj_mlp", 4 * width, width)
    yield from _linear(f"{at}.proj_out", width, 5 * width)
    for norm in ("norm_q", "norm_k"):
        yield f"{at}.attn.{norm}.weight", (head,)
    for layer in ("to_q", "to_k", "to_v"):
        yield from _linear(f"{at}.attn.{layer}", width, width)
