"""Tiny untrained pipelines of the real classes, in the real layout."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

WORDS = [
    "a",
    "the",
    "an",
    "in",
    "on",
    "at",
    "with",
    "soft",
    "illustration",
    "white",
    "bunny",
    "magic",
    "hat",
    "green",
    "meadow",
    "looks",
    "wooden",
    "door",
    "finds",
    "golden",
    "key",
    "holds",
    "forest",
    "rides",
    "rocket",
    "space",
    "mars",
    "alien",
    "explorer",
    "castle",
    "meets",
    "owl",
    "moon",
    "robot",
    "village",
    "fox",
]


def tokenizer(folder: Path) -> CLIPTokenizer:
    """A CLIP tokenizer that knows a few words whole and the rest by letters, as vocab.json and merges.txt."""
    letters = [chr(c) for c in range(ord("a"), ord("z") + 1)] + list("0123456789.,!?'-")
    tokens = [*letters, *(f"{letter}</w>" for letter in letters)]
    merges: list[str] = []
    for word in WORDS:
        parts = [*word[:-1], f"{word[-1]}</w>"]
        while len(parts) > 1:
            merge = f"{parts[0]} {parts[1]}"
            parts[:2] = [parts[0] + parts[1]]
            if merge not in merges:
                merges.append(merge)
                tokens.append(parts[0])
    tokens = [*dict.fromkeys(tokens), "<|startoftext|>", "<|endoftext|>"]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps({t: i for i, t in enumerate(tokens)}))
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges, ""]))
    return CLIPTokenizer(
        str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=77
    )


def _unet(cross: int, **more: object) -> UNet2DConditionModel:
    return UNet2DConditionModel(
        sample_size=8,
        in_channels=4,
        out_channels=4,
        layers_per_block=1,
        block_out_channels=(32, 64),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=cross,
        attention_head_dim=4,
        norm_num_groups=8,
        **more,
    )


def _vae() -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=(16, 16, 16, 32),
        latent_channels=4,
        norm_num_groups=8,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
    )


def clip_config(words: int, width: int, **more: object) -> CLIPTextConfig:
    """CLIP's text encoder of two layers."""
    return CLIPTextConfig(
        vocab_size=words,
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=77,
        bos_token_id=words - 2,
        eos_token_id=words - 1,
        pad_token_id=words - 1,
        **more,
    )


def _scheduler(**more: object) -> DDIMScheduler:
    return DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
        **more,
    )


def save_sd(folder: Path, seed: int = 0) -> Path:
    """A Stable Diffusion 1.x pipeline, 64 px."""
    return _save_sd(folder, seed, 32, {}, {}, {})


def save_sd2(folder: Path, seed: int = 0) -> Path:
    """A Stable Diffusion 2.x pipeline, 64 px: it predicts v, and reads words through linear layers."""
    return _save_sd(
        folder,
        seed,
        40,
        {"hidden_act": "gelu", "projection_dim": 24},
        {"use_linear_projection": True},
        {"prediction_type": "v_prediction"},
    )


def _save_sd(
    folder: Path,
    seed: int,
    width: int,
    text: dict[str, object],
    unet: dict[str, object],
    scheduler: dict[str, object],
) -> Path:
    torch.manual_seed(seed)
    words = tokenizer(folder / "words")
    pipeline = StableDiffusionPipeline(
        vae=_vae(),
        text_encoder=CLIPTextModel(clip_config(len(words), width, **text)),
        tokenizer=words,
        unet=_unet(width, **unet),
        scheduler=_scheduler(**scheduler),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.save_pretrained(folder / "model")
    return folder / "model"


def save_sdxl(folder: Path, seed: int = 0) -> Path:
    """A Stable Diffusion XL pipeline, 64 px."""
    torch.manual_seed(seed)
    words = tokenizer(folder / "words")
    first = CLIPTextModel(clip_config(len(words), 32))
    second = CLIPTextModelWithProjection(clip_config(len(words), 32, projection_dim=32))
    unet = _unet(
        64,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=6 * 8 + 32,
        transformer_layers_per_block=1,
        use_linear_projection=True,
    )
    pipeline = StableDiffusionXLPipeline(
        vae=_vae(),
        text_encoder=first,
        text_encoder_2=second,
        tokenizer=words,
        tokenizer_2=words,
        unet=unet,
        scheduler=_scheduler(),
    )
    pipeline.save_pretrained(folder / "model")
    return folder / "model"
