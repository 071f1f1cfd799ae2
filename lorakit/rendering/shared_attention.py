"""Self-attention that also sees other frames, so that who was drawn there looks the same here.

A frame's queries meet the keys and values of its references beside its own (StoryDiffusion, Zhou et al. 2024,
https://arxiv.org/abs/2405.01434; ConsiStory, Tewel et al. 2024, https://arxiv.org/abs/2402.03286). The
references are rows of the same call: noised anew to the frame's timestep from their finished latents, with
their own noise and words, they see themselves alone. So frame 50 can be drawn again by itself, whatever was
drawn before it, and a call grows by the number of references, not by the length of the story.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from lorakit.rendering.subject_masks import SubjectMasks


class SharedAttention:
    """An attention processor, as diffusers has them, for a call of rows with their references.

    The rows of a call are the frames, `times` over (2 where they are guided: without their words, and with
    them), then each frame's first reference, then each frame's second, and so on: `references` of them.
    """

    def __init__(self, times: int, references: int, masks: SubjectMasks | None = None) -> None:
        self._times, self._references, self._masks = times, references, masks

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,  # noqa: ARG002 - self-attention has none
        attention_mask: Tensor | None = None,  # noqa: ARG002
        temb: Tensor | None = None,  # noqa: ARG002
    ) -> Tensor:
        """(B, N, C) to (B, N, C)."""
        queries, keys, values = (
            one(hidden_states).unflatten(-1, (attn.heads, -1)).transpose(1, 2)
            for one in (attn.to_q, attn.to_k, attn.to_v)
        )
        count = len(hidden_states) // (self._times + self._references)
        frames = self._times * count
        bias = None
        if self._masks is not None:
            bias = self._masks.bias(count, self._times, hidden_states.shape[1], queries)
        seen = scaled_dot_product_attention(
            queries[:frames],
            self._beside(keys, count),
            self._beside(values, count),
            attn_mask=bias,
            scale=attn.scale,
        )
        own = scaled_dot_product_attention(
            queries[frames:], keys[frames:], values[frames:], scale=attn.scale
        )
        out = torch.cat([seen, own]).transpose(1, 2).flatten(2)
        out = attn.to_out[1](attn.to_out[0](out))
        if attn.residual_connection:
            out = out + hidden_states
        return out / attn.rescale_output_factor

    def _beside(self, rows: Tensor, count: int) -> Tensor:
        """Of (B, H, N, D) those of the frames, each with its references': (frames, H, N * (1 + R), D)."""
        frames = self._times * count
        others = [
            rows[start : start + count].repeat(self._times, 1, 1, 1)
            for start in range(frames, len(rows), count)
        ]
        return torch.cat([rows[:frames], *others], dim=2)


class WatchedAttention:
    """Cross-attention as its processor `before` computes it; how references look at their words is noted."""

    def __init__(self, before: Any, masks: SubjectMasks, frames: float) -> None:
        """`frames` is the share of a call's rows that are frames, and no references."""
        self._before, self._masks, self._frames = before, masks, frames

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor,
        attention_mask: Tensor | None = None,
        temb: Tensor | None = None,
    ) -> Tensor:
        """(B, N, C) to (B, N, C)."""
        out: Tensor = self._before(attn, hidden_states, encoder_hidden_states, attention_mask, temb)
        first = round(len(hidden_states) * self._frames)
        # of all rows, as they are kept
        keys = attn.to_k(encoder_hidden_states)[first:]
        self._masks.look(attn, hidden_states[first:], encoder_hidden_states[first:], keys)
        return out


@contextmanager
def sharing(
    unet: Any, times: int, references: int, masks: SubjectMasks | None = None
) -> Iterator[None]:
    """Have a UNet's self-attention see references meanwhile; nothing is changed where there are none.

    With `masks` it sees parts of them, and their cross-attention is watched.
    """
    named = [(name, module) for name, module in unet.named_modules() if references]
    layers = [module for name, module in named if name.endswith(".attn1")]
    watched = [module for name, module in named if masks is not None and name.endswith(".attn2")]
    before = [layer.processor for layer in (*layers, *watched)]
    for layer in layers:
        layer.set_processor(SharedAttention(times, references, masks))
    for layer in watched:
        assert masks is not None
        share = times / (times + references)
        layer.set_processor(WatchedAttention(layer.processor, masks, share))
    try:
        yield
    finally:
        for layer, processor in zip((*layers, *watched), before, strict=True):
            layer.set_processor(processor)
