"""Pipelines as checkpoints in one file: the names that CompVis' and Stability's own code gives tensors."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from lorakit import resources

VOCABULARY = 49408
UNET, VAE = "model.diffusion_model.", "first_stage_model."
_RESNET = [
    ("norm1", "in_layers.0"),
    ("conv1", "in_layers.2"),
    ("time_emb_proj", "emb_layers.1"),
    ("norm2", "out_layers.0"),
    ("conv2", "out_layers.3"),
    ("conv_shortcut", "skip_connection"),
]
_TOP = {
    "conv_in": "input_blocks.0.0",
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
_MID = {"resnets.0": "0", "attentions.0": "1", "resnets.1": "2"}


def _unet_name(name: str, layers: int, attends: dict[int, bool]) -> str:
    layer, _, kind = name.rpartition(".")
    if layer in _TOP:
        return f"{_TOP[layer]}.{kind}"
    if name.startswith("mid_block."):
        part, number, rest = name.split(".", 3)[1:]
        return f"middle_block.{_MID[f'{part}.{number}']}.{_inside(rest)}"
    way, block, part, number, rest = name.split(".", 4)
    at, index = int(block), int(number)
    if way == "down_blocks":
        if part == "downsamplers":
            return f"input_blocks.{(at + 1) * (layers + 1)}.0.op.{kind}"
        place = f"input_blocks.{1 + at * (layers + 1) + index}"
    elif part == "upsamplers":
        behind = 2 if attends[at] else 1
        return f"output_blocks.{at * (layers + 1) + layers}.{behind}.conv.{kind}"
    else:
        place = f"output_blocks.{at * (layers + 1) + index}"
    return f"{place}.{0 if part == 'resnets' else 1}.{_inside(rest)}"


def _inside(rest: str) -> str:
    for theirs, ours in _RESNET:
        if re.match(rf"{theirs}\.", rest):
            return rest.replace(theirs, ours, 1)
    return rest


def unet_tensors(unet: Any) -> dict[str, torch.Tensor]:
    """A UNet's weights under the names of a checkpoint in one file."""
    attends = {n: hasattr(block, "attentions") for n, block in enumerate(unet.up_blocks)}
    layers = unet.config.layers_per_block
    return {
        UNET + _unet_name(name, layers, attends): value for name, value in unet.state_dict().items()
    }


_ATTENTION = [
    ("group_norm", "norm"),
    ("to_q", "q"),
    ("to_k", "k"),
    ("to_v", "v"),
    ("to_out.0", "proj_out"),
]


def vae_tensors(vae: Any) -> dict[str, torch.Tensor]:
    """A VAE's weights under the names of a checkpoint in one file."""
    levels = len(vae.config.block_out_channels)
    made = {}

    def up(rest: str) -> Any:
        return lambda m: f"up.{levels - 1 - int(m[1])}.{rest}"

    for name, value in vae.state_dict().items():
        ours = re.sub(r"down_blocks\.(\d+)\.resnets\.", r"down.\1.block.", name)
        ours = re.sub(r"down_blocks\.(\d+)\.downsamplers\.0", r"down.\1.downsample", ours)
        ours = re.sub(r"up_blocks\.(\d+)\.resnets\.", up("block."), ours)
        ours = re.sub(r"up_blocks\.(\d+)\.upsamplers\.0", up("upsample"), ours)
        ours = re.sub(r"mid_block\.resnets\.(\d)", lambda m: f"mid.block_{int(m[1]) + 1}", ours)
        ours = ours.replace("conv_shortcut", "nin_shortcut").replace("conv_norm_out", "norm_out")
        if "mid_block.attentions.0" in ours:
            ours = ours.replace("mid_block.attentions.0", "mid.attn_1")
            for theirs, short in _ATTENTION:
                ours = ours.replace(f".{theirs}.", f".{short}.")
        # what are linear layers now were convolutions
        made[VAE + ours] = (
            value[:, :, None, None] if "attn_1" in ours and value.dim() == 2 else value
        )
    return made


def clip_tensors(encoder: Any, prefix: str) -> dict[str, torch.Tensor]:
    """OpenAI's, as transformers named them before its version 5."""
    return {
        f"{prefix}text_model.{name.removeprefix('text_model.')}": value
        for name, value in encoder.state_dict().items()
    }


_OPEN = [
    ("embeddings.token_embedding.weight", "token_embedding.weight"),
    ("embeddings.position_embedding.weight", "positional_embedding"),
    ("final_layer_norm.", "ln_final."),
    ("encoder.layers.", "transformer.resblocks."),
    ("layer_norm1", "ln_1"),
    ("layer_norm2", "ln_2"),
    ("mlp.fc1", "mlp.c_fc"),
    ("mlp.fc2", "mlp.c_proj"),
    ("self_attn.out_proj", "attn.out_proj"),
]


def open_clip_tensors(encoder: Any, prefix: str, unread_layers: int = 0) -> dict[str, torch.Tensor]:
    """OpenCLIP's, with queries, keys and values in one; `unread_layers` more at the end."""
    state = {k.removeprefix("text_model."): v for k, v in encoder.state_dict().items()}
    made: dict[str, torch.Tensor] = {}
    for name, value in state.items():
        if found := re.match(r"encoder\.layers\.(\d+)\.self_attn\.q_proj\.(weight|bias)", name):
            parts = [state[name.replace("q_proj", f"{p}_proj")] for p in "qkv"]
            at = f"{prefix}transformer.resblocks.{found[1]}.attn.in_proj_{found[2]}"
            made[at] = torch.cat(parts)
        elif re.search(r"self_attn\.[kv]_proj", name) or name.endswith("position_ids"):
            continue
        elif name == "text_projection.weight":
            made[f"{prefix}text_projection"] = value.t().contiguous()
        else:
            ours = name
            for theirs, short in _OPEN:
                ours = ours.replace(theirs, short)
            made[prefix + ours] = value
    count = encoder.config.num_hidden_layers
    last = f"{prefix}transformer.resblocks.{count - 1}."
    for extra in range(unread_layers):
        made |= {
            k.replace(last, f"{prefix}transformer.resblocks.{count + extra}."): v
            for k, v in list(made.items())
            if k.startswith(last)
        }
    return made


def save_single(
    file: Path, pipeline: Any, kind: str, metadata: dict[str, str] | None = None, **more: Any
) -> Path:
    """A pipeline as one file; `kind` is sd-v1, sd-v2 or sdxl; `more` are tensors with names of their own."""
    tensors = {**unet_tensors(pipeline.unet), **vae_tensors(pipeline.vae)}
    if kind == "sd-v1":
        tensors |= clip_tensors(pipeline.text_encoder, "cond_stage_model.transformer.")
    elif kind == "sd-v2":
        tensors |= open_clip_tensors(
            pipeline.text_encoder, "cond_stage_model.model.", unread_layers=1
        )
    else:
        tensors |= clip_tensors(pipeline.text_encoder, "conditioner.embedders.0.transformer.")
        tensors |= open_clip_tensors(pipeline.text_encoder_2, "conditioner.embedders.1.model.")
    tensors |= more
    save_file({k: v.contiguous().clone() for k, v in tensors.items()}, file, metadata)
    return file


def shipped(kind: str, part: str) -> dict[str, Any]:
    folder = resources.path("data") / "base-models" / kind / part
    return json.loads((folder / "config.json").read_text())


def small(kind: str) -> Any:
    """The base model with widths of 32 and 64 and two layers of words, else as it is published."""
    torch.manual_seed(0)
    large = kind == "sdxl"
    levels = 3 if large else 4
    widths = (32, 64, 64, 64)[:levels]
    heads = [1] * levels if kind != "sd-v1" else 8
    cross = {"sd-v1": 64, "sd-v2": 64, "sdxl": 192}[kind]
    unet = {
        **shipped(kind, "unet"),
        "block_out_channels": widths,
        "attention_head_dim": heads,
        "cross_attention_dim": cross,
        "layers_per_block": 1,
    }
    vae = {**shipped(kind, "vae"), "block_out_channels": (32,) * 4, "layers_per_block": 2}

    def text(part: str) -> CLIPTextConfig:
        told = shipped(kind, part)
        told |= {
            "hidden_size": 128 if part.endswith("_2") else 64,
            "intermediate_size": 128,
            "num_hidden_layers": 2,
            "num_attention_heads": 2 if part.endswith("_2") else 1,
        }
        return CLIPTextConfig(**{**told, **({"projection_dim": 64} if large else {})})

    if large:
        unet |= {
            "projection_class_embeddings_input_dim": 6 * 32 + 64,
            "addition_time_embed_dim": 32,
            "transformer_layers_per_block": [1, 1, 2],
        }
    parts: dict[str, Any] = {
        "unet": UNet2DConditionModel.from_config(unet),
        "vae": AutoencoderKL.from_config(vae),
        "text_encoder": CLIPTextModel(text("text_encoder")),
    }
    if large:
        parts["text_encoder_2"] = CLIPTextModelWithProjection(text("text_encoder_2"))
        return StableDiffusionXLPipeline(
            **parts, tokenizer=None, tokenizer_2=None, scheduler=None, add_watermarker=False
        )
    return StableDiffusionPipeline(
        **parts,
        tokenizer=None,
        scheduler=None,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
