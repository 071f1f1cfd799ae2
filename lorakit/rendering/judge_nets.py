"""The networks that look at the studio's pictures: two builds, one set of heads.

`conv` is a small ResNet at 16x16 and 8x8 places; `next` has a plain strided stem and ConvNeXt blocks
at 8x8. Both take (B, 3, 128, 128) in -1..1; their heads see the mean and the maximum over places.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

EMBEDDING = 64
SHARPNESS = 16.0  # cosines between an embedding and the characters' own -> logits


@dataclass(frozen=True)
class Seen:
    """What a judge says of B pictures, as logits unless said otherwise."""

    main: Tensor  # (B, characters): who it is about, the left one of two
    characters: Tensor  # (B, characters): sigmoid each
    hats: Tensor  # (B, hats): sigmoid each
    prop: Tensor  # (B, 1 + props): the first is none
    setting: Tensor  # (B, 1 + settings): the first is none
    relation: Tensor  # (B, relations)
    embedding: Tensor  # (B, 64), unit length: who, and wearing what
    features: Tensor  # (B, width): all that the heads are told


@dataclass(frozen=True)
class Sizes:
    """How many of each a judge tells apart."""

    characters: int
    hats: int
    props: int
    settings: int
    relations: int


class Residual(nn.Module):
    """Two 3x3 convolutions beside a shortcut."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> the same."""
        return F.relu(x + self.body(x))


def _down(inside: int, outside: int, kernel: int, stride: int, padding: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inside, outside, kernel, stride, padding, bias=False),
        nn.BatchNorm2d(outside),
        nn.ReLU(),
    )


class ConvTrunk(nn.Module):
    """Residual blocks at 16x16 and 8x8."""

    width = 384

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            _down(3, 48, 6, 4, 1),
            _down(48, 96, 3, 2, 1),
            Residual(96),
            _down(96, 192, 3, 2, 1),
            Residual(192),
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, 128, 128) -> (B, 384), (B, 192, 8, 8)."""
        x = self.layers(x)
        return torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1), x


class Mixing(nn.Module):
    """ConvNeXt's block (Liu et al., 2022): each channel over 5x5 places, then channels at each place."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.spread = nn.Conv2d(width, width, 5, padding=2, groups=width)
        self.norm = nn.LayerNorm(width)
        self.wide = nn.Linear(width, 3 * width)
        self.narrow = nn.Linear(3 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> the same."""
        y = self.norm(self.spread(x).permute(0, 2, 3, 1))
        return x + self.narrow(F.gelu(self.wide(y))).permute(0, 3, 1, 2)


class NextTrunk(nn.Module):
    """Strided convolutions to 8x8 places, and four ConvNeXt blocks there."""

    width = 384

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            _down(3, 32, 6, 4, 1), _down(32, 96, 3, 2, 1), _down(96, 192, 3, 2, 1)
        )
        self.blocks = nn.Sequential(*(Mixing(192) for _ in range(4)))
        self.norm = nn.LayerNorm(384)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, 128, 128) -> (B, 384), (B, 192, 8, 8)."""
        x = self.blocks(self.stem(x))
        return self.norm(torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1)), x


TRUNKS: dict[str, type[ConvTrunk | NextTrunk]] = {"conv": ConvTrunk, "next": NextTrunk}


class JudgeNet(nn.Module):
    """A trunk and its heads."""

    def __init__(self, build: str, sizes: Sizes) -> None:
        super().__init__()
        self.trunk = TRUNKS[build]()
        width = self.trunk.width
        self.embed = nn.Linear(width, EMBEDDING)
        self.main = nn.Parameter(torch.randn(sizes.characters, EMBEDDING))
        self.worn = nn.Linear(EMBEDDING, sizes.hats)  # keeps hats in the embedding
        self.characters = nn.Linear(width, sizes.characters)
        self.hats = nn.Linear(width, sizes.hats)
        self.prop = nn.Linear(width, 1 + sizes.props)
        self.setting = nn.Linear(width, 1 + sizes.settings)
        self.where = nn.Conv2d(192, 12, 1)  # relations lie in places, which pooling forgets
        self.relation = nn.Linear(12 * 64 + width, sizes.relations)
        for head in (self.characters, self.hats):
            nn.init.constant_(head.bias, -3.0)

    def forward(self, pictures: Tensor) -> Seen:
        """(B, 3, 128, 128) in -1..1 -> what is seen."""
        features, places = self.trunk(pictures)
        raw = self.embed(features)
        embedding = F.normalize(raw.float(), dim=1)
        where = self.where(places).flatten(1)
        return Seen(
            main=SHARPNESS * embedding @ F.normalize(self.main, dim=1).T,
            characters=self.characters(features),
            hats=self.hats(features) + self.worn(raw),
            prop=self.prop(features),
            setting=self.setting(features),
            relation=self.relation(torch.cat([where, features], 1)),
            embedding=embedding,
            features=features,
        )
