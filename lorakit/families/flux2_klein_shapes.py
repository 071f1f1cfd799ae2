"""The parameters of Flux.2-klein's transformer, names and shapes, from its configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lorakit.families.layers import Named, Shapes, linear, linears, norms


def flux2_klein_shapes(config: Mapping[str, Any]) -> Shapes:
    """Every parameter by name; what a configuration leaves out is the small size's."""
    return dict(_whole(config))


def _whole(config: Mapping[str, Any]) -> Named:
    head = int(config.get("attention_head_dim", 128))
    width = int(config.get("num_attention_heads", 24)) * head
    into = int(config.get("in_channels", 128))
    inner = int(width * float(config.get("mlp_ratio", 3.0)))
    times = int(config.get("timestep_guidance_channels", 256))

    def plain(at: str, out: int, read: int) -> Named:
        return linear(at, out, read, bias=False)

    for name in ("timestep", "guidance")[: 2 if config.get("guidance_embeds") else 1]:
        yield from plain(f"time_guidance_embed.{name}_embedder.linear_1", width, times)
        yield from plain(f"time_guidance_embed.{name}_embedder.linear_2", width, width)
    for stream in ("double_stream_modulation_img", "double_stream_modulation_txt"):
        yield from plain(f"{stream}.linear", 6 * width, width)
    yield from plain("single_stream_modulation.linear", 3 * width, width)
    yield from plain("x_embedder", width, into)
    # of the words three layers of the encoder are read
    yield from plain("context_embedder", width, int(config.get("joint_attention_dim", 7680)))
    for number in range(int(config.get("num_layers", 5))):
        at = f"transformer_blocks.{number}"
        yield from norms(f"{at}.attn", ("norm_q", "norm_k", "norm_added_q", "norm_added_k"), head)
        square = ("to_q", "to_k", "to_v", "to_out.0")
        added = ("add_q_proj", "add_k_proj", "add_v_proj", "to_add_out")
        yield from linears(f"{at}.attn", (*square, *added), width, width, bias=False)
        for part in ("ff", "ff_context"):
            yield from plain(f"{at}.{part}.linear_in", 2 * inner, width)
            yield from plain(f"{at}.{part}.linear_out", width, inner)
    for number in range(int(config.get("num_single_layers", 20))):
        at = f"single_transformer_blocks.{number}.attn"
        yield from norms(at, ("norm_q", "norm_k"), head)
        yield from plain(f"{at}.to_qkv_mlp_proj", 3 * width + 2 * inner, width)
        yield from plain(f"{at}.to_out", width, width + inner)
    yield from plain("norm_out.linear", 2 * width, width)
    patch, out = int(config.get("patch_size", 1)), int(config.get("out_channels") or into)
    yield from plain("proj_out", patch * patch * out, width)
