"""The layers of a denoiser that an adapter can be put on, and the parameters that has. Without torch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from lorakit.facts.models.model_facts import ModelFacts
from lorakit.facts.networks.layer_targets import hit
from lorakit.facts.networks.unet_shapes import Shapes, shapes_of
from lorakit.language.recipe.trainings import LoraSettings

Sizes = Mapping[str, tuple[int, ...]]


def layer_sizes(model: ModelFacts) -> Sizes:
    """The shapes of linear and convolution weights by their layer's name; empty where they are not known."""
    return {
        name.removesuffix(".weight"): shape
        for name, shape in denoiser_shapes(model).items()
        if name.endswith(".weight") and len(shape) in (2, 4)
    }


def total(model: ModelFacts) -> int | None:
    """All parameters of the denoiser; None if they are not known."""
    return sum(map(math.prod, denoiser_shapes(model).values())) or None


def denoiser_shapes(model: ModelFacts) -> Shapes:
    """The parameters of a UNet or a transformer by name: a file's own, or what its configuration comes to."""
    if model.traits.denoiser == "unet":
        return shapes_of(model.unet)
    if not model.denoiser_shapes:
        return model.traits.shapes(model.transformer)
    return {n: s for n, s in model.denoiser_shapes.items() if n not in model.traits.buffers}


def trainable(sizes: Sizes, targets: Sequence[str] | str, lora: LoraSettings) -> int | None:
    """Parameters of an adapter, as PEFT makes it; None if unknown."""
    if not sizes:
        return None
    each = {"lora": _lora, "loha": _loha, "lokr": _lokr}[lora.peft_type]
    return sum(
        each(shape, lora)
        for name, shape in sizes.items()
        if hit(name, targets, linear=len(shape) == 2)
    )


def _lora(shape: tuple[int, ...], lora: LoraSettings) -> int:
    """Two thin matrices, and DoRA's magnitudes."""
    out, into = shape[0], math.prod(shape[1:])
    return lora.rank * (into + out) + (out if lora.use_dora else 0)


def _loha(shape: tuple[int, ...], lora: LoraSettings) -> int:
    """Two pairs of thin matrices, whose products are multiplied."""
    return 2 * lora.rank * (shape[0] + math.prod(shape[1:]))


def _lokr(shape: tuple[int, ...], lora: LoraSettings) -> int:
    """A small matrix, and a larger one that is thin twice where that is less."""
    (out_small, out_large), (in_small, in_large) = _split(shape[0]), _split(shape[1])
    window = math.prod(shape[2:])
    large = out_large * in_large * window
    if lora.rank < max(out_large, in_large) / 2:
        large = lora.rank * (out_large + in_large * window)
    return out_small * in_small + large


def _split(size: int) -> tuple[int, int]:
    """The two factors of a size that are nearest to each other, the smaller first."""
    small = next(n for n in range(math.isqrt(size), 0, -1) if size % n == 0)
    return small, size // small
