"""Tiny untrained transformers' pipelines, in the layout and with the configurations' keys that the hub has.

Each is of a few thousand parameters; only numbers are smaller than published. Those that a Qwen model
reads for stand in `tiny_qwen`.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import diffusers
import torch
from transformers import CLIPTextModel, CLIPTextModelWithProjection

from tests.support.tiny import clip_config, tokenizer
from tests.support.tiny_parts import SIDE, scheduler, t5, vae
from tests.support.tiny_qwen import (
    flux2_klein,
    qwen_image,
    qwen_image_edit,
    qwen_image_edit_plus,
    z_image,
)
from tests.support.tiny_words import t5_words


def flux_parts(folder: Path, *, guided: bool) -> dict[str, Any]:
    """The components of Flux.1, guided as dev is, or as schnell not."""
    words, more = tokenizer(folder / "words"), t5_words()
    transformer = diffusers.FluxTransformer2DModel(
        patch_size=1,
        in_channels=64,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=8,
        num_attention_heads=2,
        joint_attention_dim=16,
        pooled_projection_dim=16,
        guidance_embeds=guided,
        axes_dims_rope=(2, 2, 4),
    )
    shifts = {} if guided else {"shift": 1.0, "use_dynamic_shifting": False}
    return {
        "scheduler": scheduler(**shifts),
        "vae": vae(),
        "text_encoder": CLIPTextModel(clip_config(len(words), 16)),
        "tokenizer": words,
        "text_encoder_2": t5(len(more)),
        "tokenizer_2": more,
        "transformer": transformer,
    }


def flux_dev(folder: Path) -> Any:
    """black-forest-labs/FLUX.1-dev."""
    return diffusers.FluxPipeline(**flux_parts(folder, guided=True))


def flux_schnell(folder: Path) -> Any:
    """black-forest-labs/FLUX.1-schnell."""
    return diffusers.FluxPipeline(**flux_parts(folder, guided=False))


def flux_kontext(folder: Path) -> Any:
    """black-forest-labs/FLUX.1-Kontext-dev."""
    return diffusers.FluxKontextPipeline(**flux_parts(folder, guided=True))


def chroma(folder: Path) -> Any:
    """lodestones/Chroma1-HD."""
    words = t5_words()
    transformer = diffusers.ChromaTransformer2DModel(
        patch_size=1,
        in_channels=64,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=8,
        num_attention_heads=2,
        joint_attention_dim=16,
        axes_dims_rope=(2, 2, 4),
        approximator_num_channels=8,
        approximator_hidden_dim=16,
        approximator_layers=1,
    )
    return diffusers.ChromaPipeline(
        scheduler=scheduler(shift=1.0, use_dynamic_shifting=False),
        vae=vae(),
        text_encoder=t5(len(words)),
        tokenizer=words,
        transformer=transformer,
    )


def stable_diffusion_3(folder: Path, *, words_of_t5: bool = True) -> Any:
    """stabilityai/stable-diffusion-3.5-medium; T5 may be left out."""
    words, more = tokenizer(folder / "words"), t5_words(256)
    transformer = diffusers.SD3Transformer2DModel(
        sample_size=SIDE // 8,
        patch_size=2,
        in_channels=16,
        num_layers=2,
        attention_head_dim=8,
        num_attention_heads=2,
        joint_attention_dim=32,
        caption_projection_dim=16,
        pooled_projection_dim=32,
        out_channels=16,
        pos_embed_max_size=16,
        dual_attention_layers=(0,),
        qk_norm="rms_norm",
    )
    clips = [
        CLIPTextModelWithProjection(clip_config(len(words), 16, projection_dim=16)) for _ in "12"
    ]
    return diffusers.StableDiffusion3Pipeline(
        transformer=transformer,
        scheduler=scheduler(use_dynamic_shifting=False),
        vae=vae(),
        text_encoder=clips[0],
        tokenizer=words,
        text_encoder_2=clips[1],
        tokenizer_2=words,
        text_encoder_3=t5(len(more), 32) if words_of_t5 else None,
        tokenizer_3=more if words_of_t5 else None,
    )


def stable_diffusion_3_without_t5(folder: Path) -> Any:
    """The same without T5, as its documentation has it for small cards."""
    return stable_diffusion_3(folder, words_of_t5=False)


KINDS: Mapping[str, Callable[[Path], Any]] = {
    "chroma": chroma,
    "flux-dev": flux_dev,
    "flux-kontext": flux_kontext,
    "flux-schnell": flux_schnell,
    "flux2-klein": flux2_klein,
    "qwen-image": qwen_image,
    "qwen-image-edit": qwen_image_edit,
    "qwen-image-edit-plus": qwen_image_edit_plus,
    "sd3": stable_diffusion_3,
    "sd3-without-t5": stable_diffusion_3_without_t5,
    "z-image": z_image,
}
# the smallest side that each draws, in px
SIDES = {kind: 256 if kind.startswith("qwen") else SIDE for kind in KINDS}


def save(kind: str, folder: Path) -> Path:
    """A pipeline of a kind, as its repository's folder."""
    torch.manual_seed(0)
    model = folder / "model"
    # large models are published in pieces
    KINDS[kind](folder).save_pretrained(model, max_shard_size="60KB")
    words = folder / "words"
    for name in ("tokenizer", "tokenizer_2"):
        if words.is_dir() and (model / name / "tokenizer.json").is_file():
            told = json.loads((model / name / "tokenizer_config.json").read_text())
            if told["tokenizer_class"].startswith("CLIP"):  # as CLIP's is published
                (model / name / "tokenizer.json").unlink()
                shutil.copytree(words, model / name, dirs_exist_ok=True)
    return model
