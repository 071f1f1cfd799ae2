"""Stable Diffusion 1.x and 2.x, their Turbo, LCM and Lightning forms: a UNet that reads CLIP's words.

Rombach et al. 2022, https://arxiv.org/abs/2112.10752. What it predicts, noise or v, its scheduler says.
"""

from __future__ import annotations

from lorakit.families.distilled import defaults_of, is_told_the_scale
from lorakit.families.family import Family, Published, rounded_down
from lorakit.families.parts import CLIP, CLIP_WORDS, UNET, VAE, clip_limit, unet_size

SD = {
    "in_channels": 4,
    "out_channels": 4,
    "sample_size": 64,
    "layers_per_block": 2,
    "block_out_channels": (320, 640, 1280, 1280),
    "cross_attention_dim": 768,
    "down_block_types": (*("CrossAttnDownBlock2D",) * 3, "DownBlock2D"),
    "up_block_types": ("UpBlock2D", *("CrossAttnUpBlock2D",) * 3),
}
_SD2 = {**SD, "cross_attention_dim": 1024, "use_linear_projection": True}
_OTHERS, _OTHERS_2 = 206_714_343, 424_041_703
# Turbo forms begin at the last timestep
TRAILING = {"timestep_spacing": "trailing"}


def _rows(area: int, gpu: bool) -> int:
    if not gpu:
        # a large picture keeps all cores busy by itself, and memory is what runs out first
        return 8 if area <= 256 * 256 else 1
    return 32 if area <= 256 * 256 else 8 if area <= 512 * 512 else 4


STABLE_DIFFUSION = Family(
    name="sd",
    title="Stable Diffusion",
    engine="waves",
    pipelines={
        "text": "StableDiffusionPipeline",
        "image": "StableDiffusionImg2ImgPipeline",
        "inpaint": "StableDiffusionInpaintPipeline",
        "control": "StableDiffusionControlNetPipeline",
        "control-image": "StableDiffusionControlNetImg2ImgPipeline",
    },
    controlnet="ControlNetModel",
    ip_adapters=("models/ip-adapter_sd15.safetensors",),
    classes=(
        "StableDiffusionPipeline",
        "StableDiffusionImg2ImgPipeline",
        "StableDiffusionInpaintPipeline",
        "LatentConsistencyModelPipeline",
        "LatentConsistencyModelImg2ImgPipeline",
    ),
    parts=(UNET, VAE, CLIP, CLIP_WORDS),
    denoiser="unet",
    predicts=None,
    defaults=lambda configs, _: defaults_of(configs, 7.5),
    native=lambda configs: unet_size(configs, 64),
    token_limit=clip_limit,
    embedded=is_told_the_scale,
    steps_left=rounded_down,
    # a board is the author's own words; a black frame would end up in the film
    options=lambda _: {
        "safety_checker": None,
        "feature_extractor": None,
        "requires_safety_checker": False,
    },
    clip_layers=1,
    trained=True,
    rows=_rows,
    published_bytes=4,
    scheduler="pndm",
    published={
        "CompVis/stable-diffusion-v1-4": Published({"unet": SD}, _OTHERS),
        "stable-diffusion-v1-5/stable-diffusion-v1-5": Published({"unet": SD}, _OTHERS),
        "stabilityai/stable-diffusion-2-1": Published(
            {"unet": {**_SD2, "sample_size": 96}}, _OTHERS_2
        ),
        "stabilityai/stable-diffusion-2-1-base": Published({"unet": _SD2}, _OTHERS_2),
        "stabilityai/stable-diffusion-2": Published(
            {"unet": {**_SD2, "sample_size": 96}}, _OTHERS_2
        ),
        "stabilityai/stable-diffusion-2-base": Published({"unet": _SD2}, _OTHERS_2),
        "stabilityai/sd-turbo": Published({"unet": _SD2, "scheduler": TRAILING}, _OTHERS_2),
        "SimianLuo/LCM_Dreamshaper_v7": Published(
            {"unet": {**SD, "sample_size": 96, "time_cond_proj_dim": 256}}, _OTHERS
        ),
    },
)
