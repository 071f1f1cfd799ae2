"""Z-Image: latents and words in one stream, each prompt of as many tokens as it has. It says the way back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from lorakit.families.flow import FlowTraining
from lorakit.models.flow import Embeds


class ZImageCall:
    """As diffusers' pipeline and its published training script call the transformer.

    Embeds are padded to the longest with places of zeros alone, which no prompt has of its own.
    """

    def __init__(self, pipeline: Any, _flow: FlowTraining) -> None:
        self._pipeline = pipeline

    def embeds(self, prompts: Sequence[str], device: Any, limit: int) -> Embeds:
        """Qwen's embeds of prompts (B, T, D)."""
        found, _ = self._pipeline.encode_prompt(
            prompt=list(prompts),
            device=device,
            do_classifier_free_guidance=False,
            max_sequence_length=limit,
        )
        return torch.nn.utils.rnn.pad_sequence(found, batch_first=True), None

    def __call__(
        self, denoiser: Any, noisy: Tensor, times: Tensor, embeds: Tensor, _pooled: Tensor | None
    ) -> Tensor:
        """The velocity of latents (B, C, h, w)."""
        # the transformer takes lists: how long each is must be known here, and is asked for once
        longs = embeds.any(2).sum(1).tolist()
        words = [row[:long] for row, long in zip(embeds, longs, strict=True)]
        said = denoiser(
            list(noisy.unsqueeze(2).unbind(0)), (1000 - times) / 1000, words, return_dict=False
        )[0]
        return -torch.stack(list(said)).squeeze(2)
