"""The families of models that make clips: which of diffusers' pipelines does what, sizes, lengths and rates.

Data alone, no torch. Facts are those of the published models and of diffusers' pipelines.
"""

from __future__ import annotations

from collections.abc import Mapping

from lorakit.families.family import Part
from lorakit.families.hunyuan_videos import FRAMEPACK, HUNYUAN
from lorakit.families.parts import t5, t5_words, transformer
from lorakit.families.video_family import NETWORK, PROCESSORS, VideoFamily, video_vae, vision

WAN = VideoFamily(
    name="wan",
    title="Wan",
    classes={"WanImageToVideoPipeline": ("frame", "both"), "WanPipeline": ("words",)},
    pipelines={
        "frame": "WanImageToVideoPipeline",
        "both": "WanImageToVideoPipeline",
        "words": "WanPipeline",
    },
    parts=(
        transformer("WanTransformer3DModel"),
        Part("transformer_2", "diffusers", ("WanTransformer3DModel",), NETWORK, optional=True),
        video_vae("AutoencoderKLWan"),
        Part("text_encoder", "transformers", ("UMT5EncoderModel", "T5EncoderModel"), "model"),
        t5_words("tokenizer"),
        vision("CLIPVisionModel", optional=True),
        Part("image_processor", "transformers", PROCESSORS, optional=True),
    ),
    unit=16,
    step=4,
    more=1,
    least=5,
    most=121,
    rate=16,
    frames=81,
    steps=50,
    guidance=5.0,
    options=("boundary_ratio", "expand_timesteps"),
    needs="ftfy",
    exact=("vae",),
)

LTX = VideoFamily(
    name="ltx",
    title="LTX-Video",
    classes={
        "LTXConditionPipeline": ("frame", "both", "words"),
        "LTXImageToVideoPipeline": ("frame", "both", "words"),
        "LTXPipeline": ("frame", "both", "words"),
    },
    pipelines={
        "frame": "LTXConditionPipeline",
        "both": "LTXConditionPipeline",
        "words": "LTXPipeline",
    },
    parts=(
        transformer("LTXVideoTransformer3DModel"),
        video_vae("AutoencoderKLLTXVideo"),
        t5("text_encoder"),
        t5_words("tokenizer"),
    ),
    unit=32,
    step=8,
    more=1,
    least=9,
    most=257,
    rate=25,
    frames=121,
    steps=50,
    guidance=3.0,
    conditions=True,
)

SVD = VideoFamily(
    name="svd",
    title="Stable Video Diffusion",
    classes={"StableVideoDiffusionPipeline": ("frame",)},
    pipelines={"frame": "StableVideoDiffusionPipeline"},
    parts=(
        Part("unet", "diffusers", ("UNetSpatioTemporalConditionModel",), NETWORK),
        video_vae("AutoencoderKLTemporalDecoder"),
        vision("CLIPVisionModelWithProjection"),
        Part("feature_extractor", "transformers", PROCESSORS),
    ),
    unit=64,
    most=25,
    rate=7,
    frames=25,
    steps=25,
    guidance=3.0,
    tells_rate=True,
    scale="max_guidance_scale",
    words=False,
)

COGVIDEOX = VideoFamily(
    name="cogvideox",
    title="CogVideoX",
    classes={"CogVideoXImageToVideoPipeline": ("frame",), "CogVideoXPipeline": ("words",)},
    pipelines={"frame": "CogVideoXImageToVideoPipeline", "words": "CogVideoXPipeline"},
    parts=(
        transformer("CogVideoXTransformer3DModel"),
        video_vae("AutoencoderKLCogVideoX"),
        t5("text_encoder"),
        t5_words("tokenizer"),
    ),
    unit=16,
    step=8,
    more=1,
    least=9,
    most=161,
    rate=8,
    frames=49,
    steps=50,
    guidance=6.0,
)

ANIMATEDIFF = VideoFamily(
    name="animatediff",
    title="AnimateDiff",
    classes={"MotionAdapter": ("words",)},
    pipelines={"words": "AnimateDiffPipeline"},
    parts=(Part("", "diffusers", ("MotionAdapter",), NETWORK),),
    unit=8,
    most=32,
    rate=8,
    frames=16,
    steps=50,
    guidance=7.5,
    moves="sd",
)

VIDEO_FAMILIES: Mapping[str, VideoFamily] = {
    family.name: family for family in (WAN, LTX, SVD, COGVIDEOX, HUNYUAN, FRAMEPACK, ANIMATEDIFF)
}
VIDEO_BY_CLASS: Mapping[str, VideoFamily] = {
    kind: family for family in VIDEO_FAMILIES.values() for kind in family.classes
}


def video_titles() -> str:
    """The families as a user calls them, for a message."""
    return ", ".join(family.title for family in VIDEO_FAMILIES.values())
