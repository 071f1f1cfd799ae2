"""Muon: momentum whose update for each weight matrix is made orthogonal (Jordan et al., 2024).

On the autoencoder here, 200 steps on small crops brought 19.0 dB with it and 15.5 dB with AdamW.
Embeddings, biases, norms, first and last layers stay with AdamW.  The UNet stays with AdamW as a
whole: on two CPU cores the iterations over its larger matrices cost more than they bring.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn


def orthogonalised(updates: Tensor) -> Tensor:
    """(K, M, N) -> (K, M, N), singular values near 1, by five Newton-Schulz iterations."""
    tall = updates.shape[1] > updates.shape[2]
    matrix = updates.mT if tall else updates
    matrix = matrix / (matrix.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(5):
        square = matrix @ matrix.mT
        matrix = 3.4445 * matrix + (-4.7750 * square + 2.0315 * square @ square) @ matrix
    return matrix.mT if tall else matrix


class Muon(torch.optim.Optimizer):
    """For parameters of 2 or more axes; (O, I, kh, kw) is taken as (O, I * kh * kw)."""

    def __init__(
        self,
        params: Iterable[nn.Parameter],
        lr: float,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
    ) -> None:
        defaults = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay}
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # noqa: ARG002
        """Move every weight that has a gradient."""
        for group in self.param_groups:
            by_shape: dict[tuple[int, int], list[nn.Parameter]] = {}
            for weight in group["params"]:
                if weight.grad is not None:
                    shape = (len(weight), weight.numel() // len(weight))
                    by_shape.setdefault(shape, []).append(weight)
            for (rows, columns), weights in by_shape.items():
                updates = []
                for weight in weights:
                    state = self.state[weight]
                    if not state:
                        state["momentum"] = torch.zeros_like(weight)
                    state["momentum"].lerp_(weight.grad, 1 - group["momentum"])
                    update = weight.grad.lerp(state["momentum"], group["momentum"])
                    updates.append(update.reshape(rows, columns))
                matrices = orthogonalised(torch.stack(updates))
                scale = group["lr"] * max(1.0, rows / columns) ** 0.5
                for weight, matrix in zip(weights, matrices, strict=True):
                    if group["weight_decay"]:
                        weight.mul_(1 - group["lr"] * group["weight_decay"])
                    weight.add_(matrix.reshape(weight.shape), alpha=-scale)
