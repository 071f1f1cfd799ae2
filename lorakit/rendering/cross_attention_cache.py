"""What a frame's text comes to in the UNet, computed once and not anew at every step.

Cross-attention projects the prompt's embeds to keys and values in every layer at every step, from the
same embeds to the same result: about a tenth of a small UNet's time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from lorakit.rendering.prompt_encoder import Conditioning, stack

Stacked = tuple[Tensor, "dict[str, Tensor] | None"]


class Stacker:
    """`stack`, handing out the very same tensors as long as the same prompts are asked for."""

    def __init__(self) -> None:
        self._rows: list[Conditioning] = []
        self._stacked: Stacked | None = None

    def __call__(self, rows: Sequence[Conditioning]) -> Stacked:
        """Embeds (B, T, D) and SDXL's added conditions of `rows`."""
        same = len(rows) == len(self._rows) and all(
            one is other for one, other in zip(rows, self._rows, strict=True)
        )
        if self._stacked is None or not same:
            self._rows, self._stacked = list(rows), stack(rows)
        return self._stacked


def cache_projections(unet: Any) -> Callable[[], None]:
    """Let each cross-attention keep its last keys and values, for as long as its inputs are the same tensors.

    It keeps those of two inputs: rows may be drawn in two calls that take turns. What is returned has them
    forgotten, as where weights change.

    The bits are those of computing them anew: the input is the same object, at the same batch size.
    """
    every: list[list[tuple[Tensor, Tensor]]] = []
    for name, module in unet.named_modules():
        if name.endswith((".attn2.to_k", ".attn2.to_v")):
            every.append([])
            module.forward = _keeping(module.forward, every[-1])

    def forget() -> None:
        for last in every:
            last.clear()

    return forget


def _keeping(
    forward: Callable[[Tensor], Tensor], last: list[tuple[Tensor, Tensor]]
) -> Callable[[Tensor], Tensor]:
    """A projection that keeps its `last` inputs and outputs."""

    def kept(embeds: Tensor) -> Tensor:
        for one, out in last:
            if one is embeds:
                return out
        out = forward(embeds)
        last[:] = [*last[-1:], (embeds, out)]
        return out

    return kept
