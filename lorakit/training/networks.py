"""The networks of a training on pictures as one module: the denoiser, and text encoders that are trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from lorakit.families import FAMILIES
from lorakit.models.flow import Embeds, flow_call
from lorakit.models.prompt_embeds import prompt_embeds


class Networks(nn.Module):
    """What accelerate prepares; with `text` captions go through the text encoders in each step."""

    def __init__(
        self, pipeline: Any, family: str, *, text: bool, chunks: int = 1, clip_skip: int = 0
    ) -> None:
        super().__init__()
        traits = FAMILIES[family]
        self._part = traits.denoiser
        setattr(self, self._part, getattr(pipeline, self._part))
        self._flow = flow_call(pipeline, traits)
        if text:
            for name in traits.text_parts:
                setattr(self, name, getattr(pipeline, name))
        self._encode = Words(pipeline, family, chunks, clip_skip)

    @property
    def denoiser(self) -> Any:
        """The network that predicts."""
        return getattr(self, self._part)

    def forward(
        self,
        noisy: Tensor,
        times: Tensor,
        *,
        captions: Sequence[str] = (),
        embeds: Tensor | None = None,
        pooled: Tensor | None = None,
        time_ids: Tensor | None = None,
    ) -> Tensor:
        """What the denoiser says of latents (B, C, h, w) at `times` (B,)."""
        if embeds is None:
            embeds, pooled = self._encode(captions)
        if self._flow is not None:
            return self._flow(self.denoiser, noisy, times, embeds, pooled)
        added = None if time_ids is None else {"text_embeds": pooled, "time_ids": time_ids}
        said: Tensor = self.denoiser(
            noisy, times, encoder_hidden_states=embeds, added_cond_kwargs=added, return_dict=False
        )[0]
        return said


class Words:
    """Captions as embeds by a pipeline's own text encoders, with gradients where there are any."""

    def __init__(self, pipeline: Any, family: str, chunks: int = 1, clip_skip: int = 0) -> None:
        self._pipeline, self._family = pipeline, family
        self._chunks, self._clip_skip = chunks, clip_skip

    def __call__(self, captions: Sequence[str]) -> Embeds:
        """Embeds (B, T, D), and SDXL's pooled ones."""
        denoiser = getattr(self._pipeline, FAMILIES[self._family].denoiser)
        device = next(denoiser.parameters()).device
        return prompt_embeds(
            self._pipeline,
            self._family,
            captions,
            device,
            chunks=self._chunks,
            clip_skip=self._clip_skip,
        )


class KeptWords:
    """Embeds of captions that text encoders which are not trained make, one by one, a few thousand kept."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._kept: dict[str, Mapping[str, Tensor]] = {}

    @torch.no_grad()
    def __call__(self, caption: str) -> Mapping[str, Tensor]:
        """`embeds` (1, T, D), and SDXL's `pooled` (1, P), on the CPU."""
        if caption not in self._kept:
            embeds, pooled = self._words([caption])
            encoded = {"embeds": embeds.float().cpu()}
            if pooled is not None:
                encoded["pooled"] = pooled.float().cpu()
            if len(self._kept) >= _MOST:
                self._kept.pop(next(iter(self._kept)))
            self._kept[caption] = encoded
        return self._kept[caption]


_MOST = 4096  # 240 kB each at SD's size
