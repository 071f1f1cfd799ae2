"""The models that make pictures larger, by diffusers' classes. Data alone, no torch.

Rombach et al. 2022, https://arxiv.org/abs/2112.10752 (four times, in pixels);
https://huggingface.co/stabilityai/sd-x2-latent-upscaler (twice, in latents).
"""

from __future__ import annotations

from collections.abc import Mapping

from lorakit.families.family import Part
from lorakit.families.parts import CLIP, CLIP_WORDS, KL_VAE, UNET
from lorakit.records import record


@record(kw_only=True)
class Upscaler:
    """A pipeline that makes pictures `by` times as wide and high; their sides are multiples of `unit` px.

    `steps` and `guidance` are what it is used with where nothing is said. `schedulers` are the folders of its
    schedulers.
    """

    kind: str
    title: str
    by: int
    unit: int
    steps: int
    guidance: float
    schedulers: tuple[str, ...] = ("scheduler",)
    parts: tuple[Part, ...] = (UNET, KL_VAE, CLIP, CLIP_WORDS)


UPSCALERS: Mapping[str, Upscaler] = {
    one.kind: one
    for one in (
        Upscaler(
            kind="StableDiffusionUpscalePipeline",
            title="Stable Diffusion's x4 upscaler",
            by=4,
            unit=8,
            steps=75,
            guidance=9.0,
            schedulers=("scheduler", "low_res_scheduler"),
        ),
        Upscaler(
            kind="StableDiffusionLatentUpscalePipeline",
            title="Stable Diffusion's x2 latent upscaler",
            by=2,
            unit=32,
            steps=20,
            guidance=0.0,
        ),
    )
}


def upscaler_titles() -> str:
    """What they are called, for a message."""
    return " and ".join(one.title for one in UPSCALERS.values())
