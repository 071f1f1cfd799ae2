"""Matrix products row by row, so that a row's bits do not depend on how many stand beside it.

A product of a whole batch is one tall matrix, and MKL picks its kernel by the height: in fp32 a narrow wave
then differs from the full one in the last bits. As a batched product each row is a matrix of its own. It
costs about 4 % of a full wave, and lets a wave of one frame be called with one row instead of eight. oneDNN's
bf16 products do not need it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from lorakit.facts.machine.devices import HOST
from lorakit.facts.machine.this_machine import cpu_patches


def compute_row_by_row(unet: Any) -> None:
    """Have the linear layers and 1x1 convolutions of an fp32 UNet on the CPU compute each row alone."""
    if not cpu_patches() or unet.device.type != HOST or unet.dtype != torch.float32:
        return
    for module in unet.modules():
        if isinstance(module, nn.Linear):
            module.forward = _linear(module, module.forward)  # type: ignore[method-assign, assignment]
        elif isinstance(module, nn.Conv2d) and _is_a_product(module):
            module.forward = _pointwise(module)  # type: ignore[method-assign, assignment]


def _is_a_product(conv: nn.Conv2d) -> bool:
    return (
        conv.kernel_size == conv.stride == (1, 1)
        and conv.padding in ((0, 0), "valid", "same")
        and conv.groups == 1
    )


def _linear(layer: nn.Linear, whole: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    def forward(x: Tensor) -> Tensor:
        if x.dim() not in (2, 3):
            return whole(x)
        rows = x if x.dim() == 3 else x.unsqueeze(1)
        weights = layer.weight.t().expand(rows.shape[0], -1, -1)
        out = (
            torch.bmm(rows, weights)
            if layer.bias is None
            else torch.baddbmm(layer.bias, rows, weights)
        )
        return out if x.dim() == 3 else out.squeeze(1)

    return forward


def _pointwise(conv: nn.Conv2d) -> Callable[[Tensor], Tensor]:
    def forward(x: Tensor) -> Tensor:
        count, _, height, width = x.shape
        weights = conv.weight.flatten(1).expand(count, -1, -1)
        rows = x.flatten(2)
        out = (
            torch.bmm(weights, rows)
            if conv.bias is None
            else torch.baddbmm(conv.bias.view(-1, 1), weights, rows)
        )
        return out.view(count, -1, height, width)

    return forward
