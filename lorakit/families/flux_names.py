"""Flux.1's layers by its authors' names, as sd-scripts and ComfyUI have them: some are several of diffusers'.

`{}` is a block's number. Beside each of diffusers' names stands how many times as high its weight is as what
it reads is wide; the rows of one layer of theirs are diffusers' one after the other. What diffusers has with
its halves swapped (final_layer.adaLN_modulation.1) is not among them.
"""

from __future__ import annotations

from collections.abc import Mapping

Theirs = Mapping[str, tuple[tuple[str, int], ...]]

_STREAMS = {"img": ("to_q", "to_k", "to_v"), "txt": ("add_q_proj", "add_k_proj", "add_v_proj")}
_BESIDE = {
    "img_attn.proj": "attn.to_out.0",
    "img_mlp.0": "ff.net.0.proj",
    "img_mlp.2": "ff.net.2",
    "img_mod.lin": "norm1.linear",
    "txt_attn.proj": "attn.to_add_out",
    "txt_mlp.0": "ff_context.net.0.proj",
    "txt_mlp.2": "ff_context.net.2",
    "txt_mod.lin": "norm1_context.linear",
}
_OUTSIDE = {
    "img_in": "x_embedder",
    "txt_in": "context_embedder",
    "time_in.in_layer": "time_text_embed.timestep_embedder.linear_1",
    "time_in.out_layer": "time_text_embed.timestep_embedder.linear_2",
    "vector_in.in_layer": "time_text_embed.text_embedder.linear_1",
    "vector_in.out_layer": "time_text_embed.text_embedder.linear_2",
    "guidance_in.in_layer": "time_text_embed.guidance_embedder.linear_1",
    "guidance_in.out_layer": "time_text_embed.guidance_embedder.linear_2",
    "final_layer.linear": "proj_out",
}

FLUX_NAMES: Theirs = {
    **{
        f"double_blocks.{{}}.{stream}_attn.qkv": tuple(
            (f"transformer_blocks.{{}}.attn.{layer}", 1) for layer in layers
        )
        for stream, layers in _STREAMS.items()
    },
    **{
        f"double_blocks.{{}}.{name}": ((f"transformer_blocks.{{}}.{ours}", 0),)
        for name, ours in _BESIDE.items()
    },
    "single_blocks.{}.linear1": (
        *((f"single_transformer_blocks.{{}}.attn.{q}", 1) for q in _STREAMS["img"]),
        ("single_transformer_blocks.{}.proj_mlp", 4),
    ),
    "single_blocks.{}.linear2": (("single_transformer_blocks.{}.proj_out", 0),),
    "single_blocks.{}.modulation.lin": (("single_transformer_blocks.{}.norm.linear", 0),),
    **{name: ((ours, 0),) for name, ours in _OUTSIDE.items()},
}
