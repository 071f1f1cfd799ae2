"""What the UNet is told beside the latents: prompt embeds, and SDXL's pooled embeds and sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from lorakit.families import FAMILIES
from lorakit.models.prompt_embeds import prompt_embeds
from lorakit.models.weighted_embeds import WeightedEncoder, is_compels
from lorakit.records import record


@record
class Conditioning:
    """One prompt: `embeds` (1, T, D); `pooled` (1, P) where there are any, SDXL's `time_ids` (1, 6)."""

    embeds: Tensor
    pooled: Tensor | None = None
    time_ids: Tensor | None = None


class PromptEncoder:
    """Prompt embeds, made once for each distinct string and kept.

    With `weighted`, those that have weights or are too long are compel's to encode. Each string goes through
    the text encoder by itself, so that its embeds do not depend on what else is asked for.
    """

    def __init__(self, pipeline: Any, family: str, device: str) -> None:
        self._pipeline = pipeline
        self._family = family
        self._device = device
        self._kept: dict[tuple[object, ...], Conditioning] = {}
        self._lengthened: dict[tuple[int, int], Conditioning] = {}
        self._weighted: dict[int, WeightedEncoder] = {}

    @torch.inference_mode()
    def __call__(
        self,
        text: str,
        size: tuple[int, int],
        *,
        negative: bool,
        chunks: int = 1,
        clip_skip: int = 0,
        limit: int = 0,
        weighted: bool = False,
    ) -> Conditioning:
        """The conditioning of `text` for a picture of `size` (width, height) px; see `prompt_embeds`."""
        large = FAMILIES[self._family].pooled
        if weighted and is_compels(self._pipeline, text):
            name = (text, "weighted", clip_skip, *(size if large else ()))
            if name not in self._kept:
                embeds, pooled = self._weighing(clip_skip)(text)
                self._kept[name] = (
                    Conditioning(embeds)
                    if pooled is None
                    else self._large(embeds, pooled, size, empty=False)
                )
            return self._kept[name]
        name = (text, negative and large, chunks, clip_skip, limit, *(size if large else ()))
        if name not in self._kept:
            embeds, pooled = prompt_embeds(
                self._pipeline,
                self._family,
                [text],
                self._device,
                chunks=chunks,
                clip_skip=clip_skip,
                limit=limit,
            )
            self._kept[name] = Conditioning(embeds)
            if pooled is not None and not large:
                self._kept[name] = Conditioning(embeds, pooled)
            elif pooled is not None:
                empty = negative and not text
                self._kept[name] = self._large(embeds, pooled, size, empty=empty)
        return self._kept[name]

    @torch.inference_mode()
    def alike(self, texts: Sequence[Conditioning], skips: Sequence[int]) -> list[Conditioning]:
        """Conditionings as long as the longest: zeros stay zeros, others get an empty text's embeds.

        `skips` are the clip_skip of each.
        """
        longest = max(text.embeds.shape[1] for text in texts)
        return [self._as_long(text, longest, skip) for text, skip in zip(texts, skips, strict=True)]

    def _as_long(self, text: Conditioning, length: int, clip_skip: int) -> Conditioning:
        missing = length - text.embeds.shape[1]
        if not missing:
            return text
        name = (id(text), length)  # it is kept, so nothing else gets its number
        if name not in self._lengthened:
            if text.embeds.any():
                embeds = self._weighing(clip_skip).padded(text.embeds, length)
            else:
                embeds = torch.nn.functional.pad(text.embeds, (0, 0, 0, missing))
            self._lengthened[name] = replace(text, embeds=embeds)
        return self._lengthened[name]

    def _weighing(self, clip_skip: int) -> WeightedEncoder:
        if clip_skip not in self._weighted:
            self._weighted[clip_skip] = WeightedEncoder(
                self._pipeline, self._family, self._device, clip_skip
            )
        return self._weighted[clip_skip]

    def forget(self) -> None:
        """Let go of all that was made: it takes memory where each string comes once."""
        self._kept.clear()
        self._lengthened.clear()

    def _large(
        self, embeds: Tensor, pooled: Tensor, size: tuple[int, int], *, empty: bool
    ) -> Conditioning:
        if empty and self._pipeline.config.force_zeros_for_empty_prompt:
            embeds, pooled = torch.zeros_like(embeds), torch.zeros_like(pooled)
        width, height = size
        ids = [height, width, 0, 0, height, width]
        time_ids = torch.tensor([ids], dtype=embeds.dtype, device=embeds.device)
        return Conditioning(embeds, pooled, time_ids)


def mixed(first: Conditioning, second: Conditioning, share: float) -> Conditioning:
    """A `share` of the way from one conditioning to another of its length."""
    pooled = first.pooled
    if pooled is not None and second.pooled is not None:
        pooled = torch.lerp(pooled, second.pooled, share)
    return replace(first, embeds=torch.lerp(first.embeds, second.embeds, share), pooled=pooled)


def stack(rows: Sequence[Conditioning]) -> tuple[Tensor, dict[str, Tensor] | None]:
    """Conditionings as one batch: embeds (B, T, D), and SDXL's added conditions."""
    embeds = torch.cat([row.embeds for row in rows])
    if rows[0].pooled is None or rows[0].time_ids is None:
        return embeds, None
    pooled = [row.pooled for row in rows if row.pooled is not None]
    time_ids = [row.time_ids for row in rows if row.time_ids is not None]
    return embeds, {"text_embeds": torch.cat(pooled), "time_ids": torch.cat(time_ids)}
