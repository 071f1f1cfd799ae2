"""Attention over few places, computed as plain matrix products where autocast trains on a CPU.

torch's fused kernel saves memory, but its backward in bf16 is slow there for short sequences: 6.4 ms against
1.7 for 8 heads of 24 on 64 places, a batch of 8, on two cores. At 256 x 256 the fused kernel wins.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from lorakit.facts.machine.devices import HOST
from lorakit.facts.machine.this_machine import cpu_patches

_SMALL = 30_000  # places asking x places asked


class SmallInMath:
    """A processor of diffusers' `Attention` that has another one do the work."""

    def __init__(self, processor: Any) -> None:
        self._processor = processor

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> Tensor:
        """What the other one gives; `hidden_states` are (B, N, D) or (B, D, h, w)."""
        own = hidden_states.shape[1] if hidden_states.ndim == 3 else hidden_states[0, 0].numel()
        asked = own if encoder_hidden_states is None else encoder_hidden_states.shape[1]
        small = own * asked <= _SMALL and torch.is_autocast_enabled(HOST)
        with sdpa_kernel(SDPBackend.MATH) if small else nullcontext():
            out: Tensor = self._processor(
                attn, hidden_states, encoder_hidden_states, *args, **kwargs
            )
        return out


def small_attention_in_math(unet: nn.Module) -> None:
    """Have all attention of `unet` choose its kernel by its size."""
    if not cpu_patches():
        return
    from diffusers.models.attention_processor import Attention

    for module in unet.modules():
        if isinstance(module, Attention):
            module.processor = SmallInMath(module.processor)
