"""Attention on the simulated accelerator: fused, as a GPU's flash and efficient kernels are, or plain products.

What is fused keeps for the way back what comes in, what comes out and the logarithms of the sums of exponents, one
for each head and query; plain products keep all scores.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

_ATEN = torch.ops.aten
FUSED = _ATEN._scaled_dot_product_fused_attention_overrideable.default
FUSED_BACKWARD = _ATEN._scaled_dot_product_fused_attention_overrideable_backward.default
_libraries: list[Any] = []


def register_attention() -> None:
    """Have `scaled_dot_product_attention` on the device call the fused kernel, where plain ones are not asked for."""
    library = torch.library.Library("aten", "IMPL")  # type: ignore[no-untyped-call]
    library.impl("scaled_dot_product_attention", attention, "AutogradPrivateUse1")
    _libraries.append(library)


def attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    dropout: float = 0.0,
    causal: bool = False,
    *,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """As `torch.nn.functional.scaled_dot_product_attention`."""
    given = (query, key, value, mask, dropout, causal)
    plain = not torch.backends.cuda.flash_sdp_enabled() or query.dim() != 4 or enable_gqa
    if plain or dropout or query.shape[-1] != value.shape[-1]:
        out: Tensor = _ATEN._scaled_dot_product_attention_math.default(
            *given, scale=scale, enable_gqa=enable_gqa
        )[0]
        return out
    if mask is not None and mask.dtype == torch.bool:
        least = torch.full_like(mask, float("-inf"), dtype=query.dtype)
        mask = torch.where(mask, torch.zeros_like(least), least)
    fused: Tensor = FUSED(query, key, value, mask, dropout, causal, False, scale=scale)[0]
    return fused


def forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    bias: Tensor | None = None,
    dropout: float = 0.0,
    causal: bool = False,
    _: bool = False,
    *,
    scale: float | None = None,
) -> tuple[Any, ...]:
    """The fused kernel's results, computed by the CPU's."""
    out, sums = _ATEN._scaled_dot_product_flash_attention_for_cpu.default(
        query, key, value, dropout, causal, attn_mask=bias, scale=scale
    )
    none = torch.empty(0, dtype=torch.long)
    return out, sums, none, none, query.shape[2], key.shape[2], none, none, none


def backward(
    grad: Tensor, query: Tensor, key: Tensor, value: Tensor, *more: Any, **named: Any
) -> Any:
    """The gradients of query, key and value."""
    bias, _, out, sums, _, _, _, _, dropout, causal, *_ = more
    kept = bias if bias is not None and bias.numel() else None
    grads = _ATEN._scaled_dot_product_flash_attention_for_cpu_backward.default(
        grad, query, key, value, out, sums, dropout, causal, attn_mask=kept, **named
    )
    return (*grads, None)
