"""Tiny untrained pipelines that make pictures larger, of the real classes, in the real layout."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    DDPMScheduler,
    EulerDiscreteScheduler,
    StableDiffusionLatentUpscalePipeline,
    StableDiffusionUpscalePipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextModel

from tests.support.tiny import clip_config, tokenizer

_WIDTH = 32


def _vae(blocks: int, **more: object) -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=(16,) * blocks,
        norm_num_groups=8,
        down_block_types=("DownEncoderBlock2D",) * blocks,
        up_block_types=("UpDecoderBlock2D",) * blocks,
        **more,
    )


def save_x4(folder: Path) -> Path:
    """stabilityai/stable-diffusion-x4-upscaler."""
    torch.manual_seed(0)
    words = tokenizer(folder / "words")
    StableDiffusionUpscalePipeline(
        unet=UNet2DConditionModel(
            block_out_channels=(16, 16, 32),
            layers_per_block=1,
            sample_size=32,
            in_channels=7,
            out_channels=4,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
            cross_attention_dim=_WIDTH,
            attention_head_dim=8,
            norm_num_groups=8,
            use_linear_projection=True,
            num_class_embeds=1000,
        ),
        vae=_vae(3, scaling_factor=0.08333),
        text_encoder=CLIPTextModel(clip_config(len(words), _WIDTH)),
        tokenizer=words,
        low_res_scheduler=DDPMScheduler(),
        scheduler=DDIMScheduler(prediction_type="v_prediction", clip_sample=False),
    ).save_pretrained(folder)
    return folder


def save_latent_x2(folder: Path) -> Path:
    """stabilityai/sd-x2-latent-upscaler."""
    torch.manual_seed(0)
    words = tokenizer(folder / "words")
    StableDiffusionLatentUpscalePipeline(
        unet=UNet2DConditionModel(
            act_fn="gelu",
            attention_head_dim=8,
            norm_num_groups=None,
            block_out_channels=(32, 32, 64, 64),
            layers_per_block=1,
            time_cond_proj_dim=128 + _WIDTH,
            conv_in_kernel=1,
            conv_out_kernel=1,
            cross_attention_dim=_WIDTH,
            down_block_types=("KDownBlock2D", *("KCrossAttnDownBlock2D",) * 3),
            up_block_types=(*("KCrossAttnUpBlock2D",) * 3, "KUpBlock2D"),
            mid_block_type=None,
            in_channels=8,
            out_channels=5,
            resnet_time_scale_shift="scale_shift",
            time_embedding_type="fourier",
            timestep_post_act="gelu",
        ),
        vae=_vae(4),
        text_encoder=CLIPTextModel(clip_config(len(words), _WIDTH)),
        tokenizer=words,
        scheduler=EulerDiscreteScheduler(prediction_type="sample"),
    ).save_pretrained(folder)
    return folder
