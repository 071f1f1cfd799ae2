"""Stable Diffusion 3: latents as they are, CLIP's words twice and T5's behind them, CLIP's pooled ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from lorakit.families.flow import FlowTraining
from lorakit.models.flow import Embeds

_T5 = 256  # tokens of T5, or places of zeros where it is left out, as in drawing


class StableDiffusion3Call:
    """As diffusers' pipeline and its published training script call the transformer."""

    def __init__(self, pipeline: Any, _flow: FlowTraining) -> None:
        self._pipeline = pipeline

    def embeds(self, prompts: Sequence[str], device: Any, limit: int) -> Embeds:
        """CLIP's 77 places and T5's (B, T, D), and CLIP's pooled ones (B, P)."""
        embeds, _, pooled, _ = self._pipeline.encode_prompt(
            prompt=list(prompts),
            prompt_2=None,
            prompt_3=None,
            device=device,
            num_images_per_prompt=1,
            do_classifier_free_guidance=False,
            max_sequence_length=max(limit, _T5),
        )
        return embeds, pooled

    def __call__(
        self, denoiser: Any, noisy: Tensor, times: Tensor, embeds: Tensor, pooled: Tensor | None
    ) -> Tensor:
        """The velocity of latents (B, C, h, w)."""
        said: Tensor = denoiser(
            hidden_states=noisy,
            timestep=times,
            encoder_hidden_states=embeds,
            pooled_projections=pooled,
            return_dict=False,
        )[0]
        return said
