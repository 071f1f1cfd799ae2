"""Stable Diffusion XL, its Turbo and Lightning forms: two text encoders, pooled words and the picture's size.

Podell et al. 2023, https://arxiv.org/abs/2307.01952.
"""

from __future__ import annotations

from lorakit.families.distilled import defaults_of, is_told_the_scale
from lorakit.families.family import Family, Published, Union, rounded_down
from lorakit.families.parts import (
    CLIP,
    CLIP_WORDS,
    CLIP_WORDS_2,
    UNET,
    VAE,
    clip_limit,
    projected,
    unet_size,
)
from lorakit.families.stable_diffusion import SD, TRAILING

_SDXL = {
    **SD,
    "sample_size": 128,
    "block_out_channels": (320, 640, 1280),
    "cross_attention_dim": 2048,
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "transformer_layers_per_block": (1, 2, 10),
    "use_linear_projection": True,
    "attention_head_dim": (5, 10, 20),
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
}
_OTHERS = 901_374_183


def _rows(area: int, gpu: bool) -> int:
    if not gpu:
        return 8 if area <= 256 * 256 else 1
    return 2 if area > 768 * 768 else 4


STABLE_DIFFUSION_XL = Family(
    name="sdxl",
    title="SDXL",
    engine="waves",
    pipelines={
        "text": "StableDiffusionXLPipeline",
        "image": "StableDiffusionXLImg2ImgPipeline",
        "inpaint": "StableDiffusionXLInpaintPipeline",
        "control": "StableDiffusionXLControlNetPipeline",
        "control-image": "StableDiffusionXLControlNetImg2ImgPipeline",
        "control-union": "StableDiffusionXLControlNetUnionPipeline",
        "control-image-union": "StableDiffusionXLControlNetUnionImg2ImgPipeline",
    },
    controlnet="ControlNetModel",
    # by the card of xinsir/controlnet-union-sdxl-1.0
    union=Union(
        "ControlNetUnionModel",
        "num_control_type",
        {"pose": 0, "depth": 1, "scribble": 2, "canny": 3},
    ),
    ip_adapters=(
        "sdxl_models/ip-adapter_sdxl_vit-h.safetensors",
        "sdxl_models/ip-adapter_sdxl.safetensors",
    ),
    classes=(
        "StableDiffusionXLPipeline",
        "StableDiffusionXLImg2ImgPipeline",
        "StableDiffusionXLInpaintPipeline",
    ),
    parts=(UNET, VAE, CLIP, projected("text_encoder_2"), CLIP_WORDS, CLIP_WORDS_2),
    denoiser="unet",
    text_parts=("text_encoder", "text_encoder_2"),
    predicts=None,
    defaults=lambda configs, _: defaults_of(configs, 5.0),
    native=lambda configs: unet_size(configs, 128),
    token_limit=clip_limit,
    embedded=is_told_the_scale,
    steps_left=rounded_down,
    options=lambda index: {
        "force_zeros_for_empty_prompt": index.get("force_zeros_for_empty_prompt") is not False,
        "add_watermarker": False,
    },
    clip_layers=2,  # the last never counts
    pooled=True,
    trained=True,
    rows=_rows,
    called=("xl",),
    kohya="sdxl_base_v1-0",
    published_bytes=4,
    scheduler="euler_discrete",
    published={
        "stabilityai/stable-diffusion-xl-base-1.0": Published({"unet": _SDXL}, _OTHERS),
        "stabilityai/sdxl-turbo": Published(
            {"unet": {**_SDXL, "sample_size": 64}, "scheduler": TRAILING}, _OTHERS
        ),
    },
)
