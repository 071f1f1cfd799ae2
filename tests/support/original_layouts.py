"""Transformers' pipelines as their authors publish them: in one file, under their own names; and as GGUF."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

from tests.support.single_file import vae_tensors

Tensors = dict[str, torch.Tensor]
PREFIX = "model.diffusion_model."


def _swapped(value: torch.Tensor) -> torch.Tensor:
    """Scale and shift the other way about, as the last norm has them there."""
    first, second = value.chunk(2)
    return torch.cat([second, first])


def _joined(state: Tensors, at: str, names: list[str], kind: str) -> torch.Tensor:
    return torch.cat([state[f"{at}.{name}.{kind}"] for name in names])


_FLUX = {
    "x_embedder": "img_in",
    "context_embedder": "txt_in",
    "time_text_embed.timestep_embedder.linear_1": "time_in.in_layer",
    "time_text_embed.timestep_embedder.linear_2": "time_in.out_layer",
    "time_text_embed.text_embedder.linear_1": "vector_in.in_layer",
    "time_text_embed.text_embedder.linear_2": "vector_in.out_layer",
    "time_text_embed.guidance_embedder.linear_1": "guidance_in.in_layer",
    "time_text_embed.guidance_embedder.linear_2": "guidance_in.out_layer",
    "proj_out": "final_layer.linear",
}
_FLUX_DOUBLE = {
    "norm1.linear": "img_mod.lin",
    "norm1_context.linear": "txt_mod.lin",
    "ff.net.0.proj": "img_mlp.0",
    "ff.net.2": "img_mlp.2",
    "ff_context.net.0.proj": "txt_mlp.0",
    "ff_context.net.2": "txt_mlp.2",
    "attn.to_out.0": "img_attn.proj",
    "attn.to_add_out": "txt_attn.proj",
}
_FLUX_NORMS = {
    "attn.norm_q": "img_attn.norm.query_norm",
    "attn.norm_k": "img_attn.norm.key_norm",
    "attn.norm_added_q": "txt_attn.norm.query_norm",
    "attn.norm_added_k": "txt_attn.norm.key_norm",
}


def flux_tensors(transformer: Any) -> Tensors:
    """Flux.1's transformer as black-forest-labs' flux1-dev.safetensors has it."""
    state: Tensors = transformer.state_dict()
    made: Tensors = {}
    for kind in ("weight", "bias"):
        for ours, theirs in _FLUX.items():
            if f"{ours}.{kind}" in state:
                made[f"{theirs}.{kind}"] = state[f"{ours}.{kind}"]
        made[f"final_layer.adaLN_modulation.1.{kind}"] = _swapped(state[f"norm_out.linear.{kind}"])
        for n in range(transformer.config.num_layers):
            at, there = f"transformer_blocks.{n}", f"double_blocks.{n}"
            for ours, theirs in _FLUX_DOUBLE.items():
                made[f"{there}.{theirs}.{kind}"] = state[f"{at}.{ours}.{kind}"]
            made[f"{there}.img_attn.qkv.{kind}"] = _joined(
                state, f"{at}.attn", ["to_q", "to_k", "to_v"], kind
            )
            made[f"{there}.txt_attn.qkv.{kind}"] = _joined(
                state, f"{at}.attn", ["add_q_proj", "add_k_proj", "add_v_proj"], kind
            )
        for n in range(transformer.config.num_single_layers):
            at, there = f"single_transformer_blocks.{n}", f"single_blocks.{n}"
            made[f"{there}.modulation.lin.{kind}"] = state[f"{at}.norm.linear.{kind}"]
            made[f"{there}.linear2.{kind}"] = state[f"{at}.proj_out.{kind}"]
            made[f"{there}.linear1.{kind}"] = _joined(
                state, at, ["attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp"], kind
            )
    for name, value in state.items():
        block = re.fullmatch(r"(single_)?transformer_blocks\.(\d+)\.(attn\.norm_\w+)\.weight", name)
        if block is None:
            continue
        theirs = _FLUX_NORMS[block[3]]
        if block[1]:
            made[f"single_blocks.{block[2]}.{theirs.removeprefix('img_attn.')}.scale"] = value
        else:
            made[f"double_blocks.{block[2]}.{theirs}.scale"] = value
    return made


_SD3 = {
    "pos_embed.proj": "x_embedder.proj",
    "time_text_embed.timestep_embedder.linear_1": "t_embedder.mlp.0",
    "time_text_embed.timestep_embedder.linear_2": "t_embedder.mlp.2",
    "time_text_embed.text_embedder.linear_1": "y_embedder.mlp.0",
    "time_text_embed.text_embedder.linear_2": "y_embedder.mlp.2",
    "context_embedder": "context_embedder",
    "proj_out": "final_layer.linear",
}
_SD3_BLOCK = {
    "attn.to_out.0": "x_block.attn.proj",
    "attn2.to_out.0": "x_block.attn2.proj",
    "attn.to_add_out": "context_block.attn.proj",
    "norm1.linear": "x_block.adaLN_modulation.1",
    "ff.net.0.proj": "x_block.mlp.fc1",
    "ff.net.2": "x_block.mlp.fc2",
    "ff_context.net.0.proj": "context_block.mlp.fc1",
    "ff_context.net.2": "context_block.mlp.fc2",
}
_SD3_QKV = {
    "x_block.attn.qkv": ("attn", ["to_q", "to_k", "to_v"]),
    "x_block.attn2.qkv": ("attn2", ["to_q", "to_k", "to_v"]),
    "context_block.attn.qkv": ("attn", ["add_q_proj", "add_k_proj", "add_v_proj"]),
}
_SD3_NORMS = {
    "attn.norm_q": "x_block.attn.ln_q",
    "attn.norm_k": "x_block.attn.ln_k",
    "attn.norm_added_q": "context_block.attn.ln_q",
    "attn.norm_added_k": "context_block.attn.ln_k",
    "attn2.norm_q": "x_block.attn2.ln_q",
    "attn2.norm_k": "x_block.attn2.ln_k",
}


def sd3_tensors(transformer: Any) -> Tensors:
    """Stable Diffusion 3's transformer as stabilityai's sd3.5_medium.safetensors has it, without its prefix."""
    state: Tensors = transformer.state_dict()
    last = transformer.config.num_layers - 1
    made: Tensors = {"pos_embed": state["pos_embed.pos_embed"]}
    for kind in ("weight", "bias"):
        made |= {f"{theirs}.{kind}": state[f"{ours}.{kind}"] for ours, theirs in _SD3.items()}
        made[f"final_layer.adaLN_modulation.1.{kind}"] = _swapped(state[f"norm_out.linear.{kind}"])
        for n in range(last + 1):
            at, there = f"transformer_blocks.{n}", f"joint_blocks.{n}"
            for ours, theirs in _SD3_BLOCK.items():
                if f"{at}.{ours}.{kind}" in state:
                    made[f"{there}.{theirs}.{kind}"] = state[f"{at}.{ours}.{kind}"]
            for theirs, (attention, names) in _SD3_QKV.items():
                if f"{at}.{attention}.{names[0]}.{kind}" in state:
                    made[f"{there}.{theirs}.{kind}"] = _joined(
                        state, f"{at}.{attention}", names, kind
                    )
            norm = state[f"{at}.norm1_context.linear.{kind}"]
            made[f"{there}.context_block.adaLN_modulation.1.{kind}"] = (
                _swapped(norm) if n == last else norm
            )
    for name, value in state.items():
        block = re.fullmatch(r"transformer_blocks\.(\d+)\.(attn2?\.norm_\w+)\.weight", name)
        if block is not None:
            made[f"joint_blocks.{block[1]}.{_SD3_NORMS[block[2]]}.weight"] = value
    return made


def texts_tensors(pipeline: Any, named: dict[str, str]) -> Tensors:
    """Text encoders as whole checkpoints hold them; `named` are parts by what they are called there."""
    made: Tensors = {}
    for called, part in named.items():
        for name, value in getattr(pipeline, part).state_dict().items():
            if called == "t5xxl" and "embed_tokens" in name:
                continue  # it is the one that is shared
            # CLIP as transformers had it before its version 5
            whole = called == "t5xxl" or name.startswith(("text_model.", "text_projection"))
            made[f"text_encoders.{called}.transformer.{'' if whole else 'text_model.'}{name}"] = (
                value
            )
    return made


def autoencoder_tensors(vae: Any, prefix: str) -> Tensors:
    """An autoencoder's, under ComfyUI's `vae.` or Stability's `first_stage_model.`."""
    return {prefix + name.partition(".")[2]: value for name, value in vae_tensors(vae).items()}


def save_original(file: Path, tensors: Tensors, prefix: str = "", **others: Tensors) -> Path:
    """A transformer's tensors under a prefix, and `others` as they are."""
    whole = {prefix + name: value for name, value in tensors.items()}
    for more in others.values():
        whole |= more
    save_file({name: value.contiguous().clone() for name, value in whole.items()}, file)
    return file


def save_gguf(file: Path, tensors: Tensors, kind: str, architecture: str) -> Path:
    """Tensors as a GGUF file: matrices of whole blocks in a kind, all else in fp32, as published ones are."""
    import gguf

    writer = gguf.GGUFWriter(str(file), architecture)
    quantised = gguf.GGMLQuantizationType[kind]
    block, _ = gguf.GGML_QUANT_SIZES[quantised]
    for name, value in tensors.items():
        array = value.detach().float().numpy().astype(np.float32)
        fits = array.ndim == 2 and array.shape[1] % block == 0
        chosen = quantised if fits else gguf.GGMLQuantizationType.F32
        writer.add_tensor(name, gguf.quants.quantize(array, chosen), raw_dtype=chosen)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


def narrow(monkeypatch: Any, width: int, kind: str = "FluxTransformer2DModel") -> None:
    """Have diffusers read a transformer so wide: its own reader has the published width written in it."""
    import inspect

    from diffusers.loaders import single_file_model, single_file_utils

    classes = single_file_model.SINGLE_FILE_LOADABLE_CLASSES
    reads = classes[kind]["checkpoint_mapping_fn"]
    text = inspect.getsource(reads)
    changed = text.replace("inner_dim = 3072", f"inner_dim = {width}")
    assert changed != text
    names = dict(vars(single_file_utils))
    exec(changed, names)
    monkeypatch.setitem(classes[kind], "checkpoint_mapping_fn", names[reads.__name__])
