"""The parameters of a UNet2DConditionModel, names and shapes, from its configuration. Without torch."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

TOKENS = 77  # of a caption, padded as CLIP has it

Shapes = Mapping[str, tuple[int, ...]]
Named = Iterator[tuple[str, tuple[int, ...]]]


def shapes_of(config: Mapping[str, Any]) -> Shapes:
    """Every parameter by name; empty for a configuration of other blocks than SD's and SDXL's."""
    try:
        return dict(_whole(config))
    except (KeyError, TypeError, ValueError, IndexError):
        return {}


def level_of(layer: str, levels: int) -> int:
    """How often the latents have been halved where a layer works."""
    found = re.match(r"(down|up)_blocks\.(\d+)", layer)
    if found:
        number = int(found[2])
        return number if found[1] == "down" else levels - 1 - number
    return levels - 1 if layer.startswith("mid_block") else 0


def _whole(config: Mapping[str, Any]) -> Named:
    widths = [int(width) for width in config["block_out_channels"]]
    count, first = len(widths), widths[0]
    cross = int(config["cross_attention_dim"])
    per_block = _each(config.get("layers_per_block", 2), count)
    depths = _each(config.get("transformer_layers_per_block", 1), count)
    linear, time = bool(config.get("use_linear_projection")), 4 * first

    def attention(at: str, width: int, depth: int) -> Named:
        return _transformer(at, width, cross, depth, linear=linear)

    yield from _with_bias("conv_in", (first, int(config["in_channels"]), 3, 3))
    yield from _embedding("time_embedding", first, time)
    if config.get("time_cond_proj_dim"):  # the embedding of a guidance scale
        yield "time_embedding.cond_proj.weight", (first, int(config["time_cond_proj_dim"]))
    if config.get("addition_embed_type") == "text_time":
        into = int(config["projection_class_embeddings_input_dim"])
        yield from _embedding("add_embedding", into, time)
    elif config.get("addition_embed_type"):
        raise ValueError
    before = first
    for block, (kind, width) in enumerate(zip(config["down_block_types"], widths, strict=True)):
        at = f"down_blocks.{block}"
        for layer in range(per_block[block]):
            yield from _resnet(f"{at}.resnets.{layer}", before, width, time)
            before = width
            if _attends(kind, "Down"):
                yield from attention(f"{at}.attentions.{layer}", width, depths[block])
        if block < count - 1:
            yield from _with_bias(f"{at}.downsamplers.0.conv", (width, width, 3, 3))
    yield from _resnet("mid_block.resnets.0", before, before, time)
    yield from attention("mid_block.attentions.0", before, depths[-1])
    yield from _resnet("mid_block.resnets.1", before, before, time)
    upwards = widths[::-1]
    for block, (kind, width) in enumerate(zip(config["up_block_types"], upwards, strict=True)):
        at, last = f"up_blocks.{block}", per_block[::-1][block]
        for layer in range(last + 1):
            # the first of the way down is met by the last of the way up
            skipped = upwards[min(block + 1, count - 1)] if layer == last else width
            yield from _resnet(f"{at}.resnets.{layer}", before + skipped, width, time)
            before = width
            if _attends(kind, "Up"):
                yield from attention(f"{at}.attentions.{layer}", width, depths[::-1][block])
        if block < count - 1:
            yield from _with_bias(f"{at}.upsamplers.0.conv", (width, width, 3, 3))
    yield from _norm("conv_norm_out", first)
    yield from _with_bias("conv_out", (int(config["out_channels"]), first, 3, 3))


def _each(value: Any, count: int) -> Sequence[int]:
    return [int(one) for one in value] if isinstance(value, list | tuple) else [int(value)] * count


def _attends(kind: str, way: str) -> bool:
    if kind not in (f"CrossAttn{way}Block2D", f"{way}Block2D"):
        raise ValueError(kind)
    return kind.startswith("CrossAttn")


def _with_bias(at: str, shape: tuple[int, ...]) -> Named:
    yield f"{at}.weight", shape
    yield f"{at}.bias", shape[:1]


def _norm(at: str, width: int) -> Named:
    return _with_bias(at, (width,))


def _embedding(at: str, into: int, out: int) -> Named:
    yield from _with_bias(f"{at}.linear_1", (out, into))
    yield from _with_bias(f"{at}.linear_2", (out, out))


def _resnet(at: str, into: int, out: int, time: int) -> Named:
    yield from _norm(f"{at}.norm1", into)
    yield from _with_bias(f"{at}.conv1", (out, into, 3, 3))
    yield from _with_bias(f"{at}.time_emb_proj", (out, time))
    yield from _norm(f"{at}.norm2", out)
    yield from _with_bias(f"{at}.conv2", (out, out, 3, 3))
    if into != out:
        yield from _with_bias(f"{at}.conv_shortcut", (out, into, 1, 1))


def _transformer(at: str, width: int, cross: int, depth: int, *, linear: bool) -> Named:
    square = (width, width) if linear else (width, width, 1, 1)
    yield from _norm(f"{at}.norm", width)
    yield from _with_bias(f"{at}.proj_in", square)
    for number in range(depth):
        block = f"{at}.transformer_blocks.{number}"
        for norm in ("norm1", "norm2", "norm3"):
            yield from _norm(f"{block}.{norm}", width)
        for name, told in (("attn1", width), ("attn2", cross)):
            yield f"{block}.{name}.to_q.weight", (width, width)
            yield f"{block}.{name}.to_k.weight", (width, told)
            yield f"{block}.{name}.to_v.weight", (width, told)
            yield from _with_bias(f"{block}.{name}.to_out.0", (width, width))
        yield from _with_bias(f"{block}.ff.net.0.proj", (8 * width, width))
        yield from _with_bias(f"{block}.ff.net.2", (width, 4 * width))
    yield from _with_bias(f"{at}.proj_out", square)
