"""Losses that do not reward the mean of what a picture may be: patches told apart, and features agreed on.

Pictures are (B, 3, H, W) in -1..1; ``made`` is what a decoder made, ``wanted`` what was composed.
"""

from __future__ import annotations

import itertools

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn


class Patches(nn.Module):
    """Says of each patch whether it was composed: (B, 3, H, W) -> (B, 1, H / 8, W / 8), and its features."""

    def __init__(self) -> None:
        super().__init__()
        widths = (6, 24, 48, 96, 160)
        self.layers = nn.ModuleList(
            nn.Sequential(
                # The first sees every pixel alike: a stride there lets a checkerboard pass for detail.
                nn.Conv2d(inside, outside, 4, 2, 1)
                if number
                else nn.Conv2d(inside, outside, 3, 1, 1),
                nn.GroupNorm(8, outside) if number else nn.Identity(),
                nn.LeakyReLU(0.2),
            )
            for number, (inside, outside) in enumerate(itertools.pairwise(widths))
        )
        self.last = nn.Conv2d(160, 1, 3, 1, 1)

    def forward(self, pictures: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Give the verdict on each patch, above 0 where it seems composed, and all features."""
        fine = pictures - F.avg_pool2d(pictures, 3, 1, 1, count_include_pad=False)
        pictures = torch.cat([pictures, 6 * fine], 1)  # what is soft shows at the edges, faintly
        features = []
        for layer in self.layers:
            pictures = layer(pictures)
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
    """L1 on pixels and their differences, and squared errors; for the first rows on means over 4x4.

    Those count pixels only a fifth as much.  In all rows checkerboards and stripes of every other pixel
    are dear, which an adversary takes for detail until it has met enough of them.
    """
    error = made - wanted
    fine = error.abs().mean((1, 2, 3)) + 5 * error.pow(2).mean((1, 2, 3))
    fine = fine + (error[..., :, 1:] - error[..., :, :-1]).abs().mean((1, 2, 3))
    fine = fine + (error[..., 1:, :] - error[..., :-1, :]).abs().mean((1, 2, 3))
    coarse = F.avg_pool2d(error, 4).abs().mean((1, 2, 3))
    pixels = torch.cat([2 * coarse[:redrawn] + 0.2 * fine[:redrawn], fine[redrawn:]]).mean()
    return pixels + alternation(error)


def alternation(error: Tensor) -> Tensor:
    """How much of an error alternates from pixel to pixel in the same way over 8x8 of them."""
    across = torch.ones_like(error[0, 0])
    across[:, 1::2] = -1
    down = across.T
    waves = torch.stack([across, down, across * down])
    turned = (error[:, :, None] * waves).flatten(1, 2)
    return 5 * F.avg_pool2d(turned, 8, 4).abs().mean()
