"""Qwen-Image: latents two by two as tokens, each prompt of as many tokens as it has, no pooled words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from lorakit.families.flow import FlowTraining
from lorakit.models.flow import Embeds, words_alone


class QwenImageCall:
    """As diffusers' pipeline and its published training script call the transformer.

    Embeds are padded to the longest with places of zeros alone, which no prompt has of its own.
    """

    def __init__(self, pipeline: Any, _flow: FlowTraining) -> None:
        self._pipeline = pipeline

    def embeds(self, prompts: Sequence[str], device: Any, limit: int) -> Embeds:
        """Qwen's embeds of prompts (B, T, D)."""
        return words_alone(self._pipeline, prompts, device, limit)

    def __call__(
        self, denoiser: Any, noisy: Tensor, times: Tensor, embeds: Tensor, _pooled: Tensor | None
    ) -> Tensor:
        """The velocity of latents (B, C, h, w)."""
        count, channels, height, width = noisy.shape
        factor = self._pipeline.vae_scale_factor
        told = embeds.any(2)
        said = denoiser(
            hidden_states=self._pipeline._pack_latents(noisy, count, channels, height, width),
            timestep=times / 1000,
            encoder_hidden_states=embeds,
            encoder_hidden_states_mask=None if bool(told.all()) else told,
            img_shapes=[[(1, height // 2, width // 2)]] * count,
            return_dict=False,
        )[0]
        unpacked: Tensor = self._pipeline._unpack_latents(
            said, height * factor, width * factor, factor
        )
        return unpacked.squeeze(2)
