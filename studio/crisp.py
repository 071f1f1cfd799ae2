"""Losses that do not reward the mean of what a picture may be: patches told apart, and features agreed on.

Pictures are (B, 3, H, W) in -1..1; ``made`` is what a decoder made, ``wanted`` what was composed.
"""

from __future__ import annotations

import itertools

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm


class Patches(nn.Module):
    """Says of each patch whether it was composed: (B, 3, 64, 64) -> (B, 1, 8, 8), and its features."""

    def __init__(self) -> None:
        super().__init__()
        widths = (3, 40, 80, 160)
        layers = [spectral_norm(nn.Conv2d(a, b, 4, 2, 1)) for a, b in itertools.pairwise(widths)]
        layers.append(spectral_norm(nn.Conv2d(160, 160, 3, 1, 1)))
        self.layers = nn.ModuleList(layers)
        self.last = spectral_norm(nn.Conv2d(160, 1, 3, 1, 1))

    def forward(self, pictures: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Give the verdict on each patch, above 0 where it seems composed, and all features."""
        features = []
        for layer in self.layers:
            pictures = F.leaky_relu(layer(pictures), 0.2)
            features.append(pictures)
        return self.last(pictures), features


def judge_features(trunk: nn.Module, pictures: Tensor) -> list[Tensor]:
    """What the shipped judge (build ``conv``) makes of pictures, where it halves them and at its end."""
    features = []
    for number, layer in enumerate(trunk.layers):
        pictures = layer(pictures)
        if number != 1:
            features.append(pictures)
    return features


def feature_loss(made: list[Tensor], wanted: list[Tensor]) -> Tensor:
    """Mean over layers of L1 between features, each in terms of what is wanted's own mean."""
    parts = [
        (a - b).abs().mean() / b.abs().mean().clamp_min(1e-6)
        for a, b in zip(made, wanted, strict=True)
    ]
    return torch.stack(parts).mean()


def pixel_loss(made: Tensor, wanted: Tensor, redrawn: int) -> Tensor:
    """L1 on pixels and their differences; on means over 4x4, and a fifth of it, for the first rows."""
    error = made - wanted
    fine = error.abs().mean((1, 2, 3))
    fine = fine + (error[..., :, 1:] - error[..., :, :-1]).abs().mean((1, 2, 3))
    fine = fine + (error[..., 1:, :] - error[..., :-1, :]).abs().mean((1, 2, 3))
    coarse = F.avg_pool2d(error, 4).abs().mean((1, 2, 3))
    return torch.cat([2 * coarse[:redrawn] + 0.2 * fine[:redrawn], fine[redrawn:]]).mean()
