"""Flux.2-klein: latents that are two by two already, Qwen's words at all places, no pooled ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from lorakit.families.flow import FlowTraining
from lorakit.models.flow import Embeds, words_alone


class Flux2KleinCall:
    """As diffusers' pipeline and its published training script call the transformer."""

    def __init__(self, pipeline: Any, flow: FlowTraining) -> None:
        self._pipeline, self._guidance = pipeline, flow.guidance

    def embeds(self, prompts: Sequence[str], device: Any, limit: int) -> Embeds:
        """Qwen's embeds of three of its layers (B, T, D), padded to the limit."""
        return words_alone(self._pipeline, prompts, device, limit)

    def __call__(
        self, denoiser: Any, noisy: Tensor, times: Tensor, embeds: Tensor, _pooled: Tensor | None
    ) -> Tensor:
        """The velocity of latents (B, C, h, w)."""
        guidance = None
        if denoiser.config.guidance_embeds:
            guidance = torch.full((len(noisy),), self._guidance, device=noisy.device)
        said: Tensor = denoiser(
            hidden_states=self._pipeline._pack_latents(noisy),
            timestep=times / 1000,
            guidance=guidance,
            encoder_hidden_states=embeds,
            txt_ids=self._pipeline._prepare_text_ids(embeds).to(noisy.device),
            img_ids=self._pipeline._prepare_latent_ids(noisy).to(noisy.device),
            return_dict=False,
        )[0]
        # tokens are in the order of rows
        return said.transpose(1, 2).unflatten(2, noisy.shape[2:])
