"""What judges learn from: scenes as labels, pictures as other hands might have drawn them.

Harmed on purpose: moved and resized, blurred, sent through a coarser grid as an autoencoder would,
in other colours, in one colour with scan lines, with noise.  All chance comes from the generators
that are handed in.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from scenes import BOY, GIRL, RELATION_WEIGHTS, Scene, load_world
from torch import Tensor

RELATIONS = tuple(RELATION_WEIGHTS)
Labels = dict[str, Tensor]


def read_scenes(pool: Path) -> list[Scene]:
    """The scenes of a pool that compose.py made."""
    lines = (pool / "scenes.jsonl").read_text(encoding="utf-8").splitlines()
    return [Scene.from_json(json.loads(line)) for line in lines]


def labels_of(scenes: Sequence[Scene]) -> Labels:
    """What each picture shows, as numbers in the world's order.

    main (N,), -1 where nobody is; characters (N, 40) and hats (N, 6) in {0, 1}; prop, setting (N,),
    0 for none; relation (N,).
    """
    world = load_world()
    codes, hats, props = (
        {code: n for n, code in enumerate(group)}
        for group in (world.characters, world.hats, world.props)
    )
    count = len(scenes)
    labels = {
        "main": torch.full((count,), -1),
        "characters": torch.zeros(count, len(codes)),
        "hats": torch.zeros(count, len(hats)),
        "prop": torch.zeros(count, dtype=torch.long),
        "setting": torch.zeros(count, dtype=torch.long),
        "relation": torch.zeros(count, dtype=torch.long),
    }
    for row, scene in enumerate(scenes):
        present = {actor.code for actor in scene.actors}
        if scene.students:
            present |= {BOY, GIRL}
        for code in present:
            labels["characters"][row, codes[code]] = 1
        for actor in scene.actors:
            if actor.hat:
                labels["hats"][row, hats[actor.hat]] = 1
        if scene.actors:
            labels["main"][row] = codes[scene.actors[0].code]
        if scene.prop:
            labels["prop"][row] = 1 + props[scene.prop]
        if scene.setting:
            labels["setting"][row] = 1 + world.settings.index(scene.setting)
        labels["relation"][row] = RELATIONS.index(scene.relation)
    return labels


def _some(count: int, chance: float, generator: torch.Generator) -> Tensor:
    return torch.nonzero(torch.rand(count, generator=generator) < chance)[:, 0]


def _between(low: float, high: float, count: int, generator: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(count, generator=generator)


def moved(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """Shifted by up to 8 pixels, made up to 15 % smaller or larger."""
    count = len(pictures)
    theta = torch.zeros(count, 2, 3)
    theta[:, 0, 0] = _between(0.87, 1.17, count, generator)
    theta[:, 1, 1] = theta[:, 0, 0] * _between(0.96, 1.04, count, generator)
    theta[:, :, 2] = _between(-0.125, 0.125, count * 2, generator).view(count, 2)
    grid = F.affine_grid(theta, list(pictures.shape), align_corners=False)
    return F.grid_sample(pictures, grid, padding_mode="reflection", align_corners=False)


def coarser(pictures: Tensor, factor: float) -> Tensor:
    """Sent through a grid ``factor`` times coarser."""
    size = round(pictures.shape[-1] / factor)
    small = F.interpolate(pictures, size=(size, size), mode="bilinear", antialias=True)
    return F.interpolate(small, size=pictures.shape[-2:], mode="bicubic")


def recoloured(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """Saturation, contrast, lightness and the weight of each channel changed a little."""
    count = len(pictures)

    def column(low: float, high: float) -> Tensor:
        return _between(low, high, count, generator)[:, None, None, None]

    grey = pictures.mean(1, keepdim=True)
    pictures = grey + (pictures - grey) * column(0.5, 1.3)
    gains = _between(0.85, 1.15, count * 3, generator).view(count, 3, 1, 1)
    return pictures * column(0.75, 1.2) * gains + column(-0.15, 0.15)


def in_one_colour(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """Lightness, detail and outlines as a ramp of one colour, under scan lines.

    What a style that a LoRA brings may do: flat and plain, or lit at the edges on a dark ground.
    """
    count, rows = len(pictures), torch.arange(pictures.shape[-2])

    def column(low: float, high: float) -> Tensor:
        return _between(low, high, count, generator)[:, None, None, None]

    grey = pictures.mean(1, keepdim=True) * 0.5 + 0.5
    detail = grey - F.avg_pool2d(grey, 11, 1, 5, count_include_pad=False)
    across, down = grey.diff(dim=3, append=grey[..., -1:]), grey.diff(dim=2, append=grey[:, :, -1:])
    edges = F.avg_pool2d(torch.hypot(across, down), 3, 1, 1) * 5
    value = column(0.2, 1.0) * grey + column(0, 1.2) * detail + column(0, 0.8) * edges
    period, depth = _between(3, 6, count, generator)[:, None], column(0, 0.3)
    lines = torch.cos(rows[None] * (2 * torch.pi / period))[:, None, :, None]
    value = (value * (1 - depth + depth * lines)).clamp(0, 1)
    dark = _between(-1.0, -0.6, count * 3, generator).view(count, 3, 1, 1)
    light = _between(-0.7, 1.0, count * 3, generator).view(count, 3, 1, 1)
    pale = (light + column(0, 1)).clamp(-1, 1)
    upper = (2 * value - 1).clamp(min=0)
    return dark + (light - dark) * (2 * value).clamp(max=1) + (pale - light) * upper


def partly(plain: Tensor, styled: Tensor, generator: torch.Generator) -> Tensor:
    """Styled pictures through which a little of the plain ones shows, half of them in other hues.

    As an adapter's weight may leave them.  All (B, 3, H, W).
    """
    count = len(plain)
    hues = torch.stack([torch.randperm(3, generator=generator) for _ in range(count)])
    hues[_some(count, 0.5, generator)] = torch.arange(3)
    styled = styled[torch.arange(count)[:, None], hues]
    share = _between(0.4, 1.3, count, generator).clamp(max=1)[:, None, None, None]
    return plain + (styled - plain) * share


def nothing(labels: Labels, rows: Tensor) -> Labels:
    """Labels of which some rows show nobody and nothing, whatever their scene was.

    Who it is about, and what stands where, is not asked there.
    """
    made = {part: values.clone() for part, values in labels.items()}
    for part, blank in (
        ("main", -1),
        ("relation", -1),
        ("characters", 0),
        ("hats", 0),
        ("prop", 0),
    ):
        made[part][rows] = blank
    return made


def harmed(
    pictures: Tensor, generator: torch.Generator, styled: float = 0.1, soft: bool = True
) -> Tensor:
    """(B, 3, H, W) in -1..1 -> the same, as other hands might have drawn it.

    ``styled`` is the chance of a picture to be in one colour; without ``soft`` none is blurred.
    """
    count = len(pictures)
    pictures = moved(pictures, generator)
    for low, high in ((1.3, 2.0), (2.0, 2.8)) if soft else ():  # 128 -> 98..64, 64..46
        rows = _some(count, 0.25, generator)
        if len(rows):
            factor = float(_between(low, high, 1, generator))
            pictures[rows] = coarser(pictures[rows], factor)
    pictures = recoloured(pictures, generator)
    rows = _some(count, styled, generator)
    if len(rows):
        pictures[rows] = in_one_colour(pictures[rows], generator)
    strength = _between(0, 0.1, count, generator)[:, None, None, None]
    noise = torch.from_numpy(
        np.random.default_rng(int(torch.randint(2**31, (1,), generator=generator))).standard_normal(
            tuple(pictures.shape), dtype=np.float32
        )
    )
    return (pictures + noise * strength).clamp(-1, 1).contiguous(memory_format=torch.channels_last)
