"""Embeds of prompts whose words have weights, or that are longer than a text encoder reads, by compel.

compel (https://github.com/damian0815/compel) moves a word's embeds away from, or towards, those of an empty
text; a weight below 1 goes towards the embeds of the text without the word. Long texts are cut at the ends
of phrases, and their chunks' embeds, 77 places each, stand one after the other. SDXL's pooled embeds are
those of the text without weights, as far as it fits.

compel is told the words and their weights in pieces, and none of its own signs. It is shown each text encoder
through `_Layer`, which does clip_skip as diffusers does: what compel has for it asks for a part that text
encoders have not had since transformers 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from lorakit.families import FAMILIES
from lorakit.language.story import weights
from lorakit.models.flow import Embeds


def is_compels(pipeline: Any, text: str) -> bool:
    """Whether a text is one that the pipeline itself would not read: weighted, or too long."""
    if weights.weighted(text):
        return True
    tokenizer = pipeline.tokenizer
    return len(tokenizer(text, truncation=False).input_ids) > tokenizer.model_max_length


class _Layer:
    """A text encoder whose last hidden state is that of the layer which counts."""

    def __init__(self, encoder: Any, skip: int, *, large: bool) -> None:
        self._encoder, self._skip, self._large = encoder, skip, large

    @property
    def device(self) -> Any:
        """Where its weights are."""
        return self._encoder.device

    @property
    def dtype(self) -> torch.dtype:
        """What its weights are in."""
        dtype: torch.dtype = self._encoder.dtype
        return dtype

    def __call__(self, ids: Tensor, mask: Tensor | None = None, **_: Any) -> SimpleNamespace:
        # a mask of ones means the same, and has another kernel
        mask = mask if mask is not None and not mask.all() else None
        out = self._encoder(ids, attention_mask=mask, output_hidden_states=True)
        if self._large:
            hidden = out.hidden_states[-(self._skip + 2)]
            return SimpleNamespace(last_hidden_state=hidden, pooler_output=out[0])
        hidden = out.last_hidden_state
        if self._skip:
            inner = getattr(self._encoder, "text_model", self._encoder)  # before transformers 5
            hidden = inner.final_layer_norm(out.hidden_states[-(self._skip + 1)])
        return SimpleNamespace(last_hidden_state=hidden)


class WeightedEncoder:
    """A pipeline's text encoders at one clip_skip, with weights and chunks."""

    def __init__(self, pipeline: Any, family: str, device: str, clip_skip: int = 0) -> None:
        from compel import Compel, SplitLongTextMode

        traits = FAMILIES[family]
        self._device = device
        self._pooled = traits.pooled
        self._compels = [
            Compel(
                tokenizer=getattr(pipeline, name.replace("text_encoder", "tokenizer")),
                text_encoder=_Layer(getattr(pipeline, name), clip_skip, large=traits.pooled),
                truncate_long_prompts=False,
                split_long_text_mode=SplitLongTextMode.PHRASES,
                device=device,
            )
            for name in traits.text_parts
        ]

    def __call__(self, text: str) -> Embeds:
        """Embeds (1, 77 * chunks, D) of a text with its weights, and SDXL's pooled ones."""
        from compel.prompt_parser import FlattenedPrompt

        told = [(piece.text, piece.weight) for piece in _pieces(text)]
        each = [
            compel.build_conditioning_tensor_for_prompt_object(FlattenedPrompt(told))[0][0]
            for compel in self._compels
        ]
        longest = max(embeds.shape[1] for embeds in each)
        each = [
            _lengthened(compel, embeds, longest, compel.conditioning_provider.empty_z)
            for embeds, compel in zip(each, self._compels, strict=True)
        ]
        pooled = None
        if self._pooled:
            last = self._compels[-1].conditioning_provider
            pooled = last.get_pooled_embeddings([weights.plain(text)], device=self._device)
        return torch.cat(each, dim=-1), pooled

    def padded(self, embeds: Tensor, length: int) -> Tensor:
        """Embeds (1, L, D) with those of empty texts behind them, (1, length, D)."""
        empty = torch.cat([c.conditioning_provider.empty_z for c in self._compels], dim=-1)
        return _lengthened(self._compels[0], embeds, length, empty)


def _pieces(text: str) -> Sequence[weights.WeighedWords]:
    # compel cannot leave out what has no tokens
    return [piece for piece in weights.pieces(text) if piece.text.strip()]


def _lengthened(compel: Any, embeds: Tensor, length: int, empty: Tensor) -> Tensor:
    longest = embeds.new_empty((1, length, embeds.shape[2]))
    padded: Tensor = compel.pad_conditioning_tensors_to_same_length([embeds, longest], empty)[0]
    return padded
