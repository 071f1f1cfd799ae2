"""Flux.1: latents two by two as tokens with places, T5's words, CLIP's pooled ones, the guidance scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from lorakit.families.flow import FlowTraining
from lorakit.models.flow import Embeds


class FluxCall:
    """As diffusers' pipeline and its published training script call the transformer."""

    def __init__(self, pipeline: Any, flow: FlowTraining) -> None:
        self._pipeline, self._guidance = pipeline, flow.guidance

    def embeds(self, prompts: Sequence[str], device: Any, limit: int) -> Embeds:
        """T5's embeds (B, T, D), padded to the limit, and CLIP's pooled ones (B, P)."""
        embeds, pooled, _ = self._pipeline.encode_prompt(
            prompt=list(prompts),
            prompt_2=None,
            device=device,
            num_images_per_prompt=1,
            max_sequence_length=limit,
        )
        return embeds, pooled

    def __call__(
        self, denoiser: Any, noisy: Tensor, times: Tensor, embeds: Tensor, pooled: Tensor | None
    ) -> Tensor:
        """The velocity of latents (B, C, h, w)."""
        count, channels, height, width = noisy.shape
        pack, factor = self._pipeline._pack_latents, self._pipeline.vae_scale_factor
        places = self._pipeline._prepare_latent_image_ids(
            count, height // 2, width // 2, noisy.device, noisy.dtype
        )
        guidance = None
        if denoiser.config.guidance_embeds:
            guidance = torch.full((count,), self._guidance, device=noisy.device)
        said = denoiser(
            hidden_states=pack(noisy, count, channels, height, width),
            timestep=times / 1000,
            guidance=guidance,
            pooled_projections=pooled,
            encoder_hidden_states=embeds,
            txt_ids=embeds.new_zeros(embeds.shape[1], 3),
            img_ids=places,
            return_dict=False,
        )[0]
        unpacked: Tensor = self._pipeline._unpack_latents(
            said, height * factor, width * factor, factor
        )
        return unpacked
