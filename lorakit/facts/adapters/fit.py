"""An adapter held against a model: every layer of it is there, and has the size that it changes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lorakit.facts.adapters.authors_names import made_by
from lorakit.facts.adapters.errors import listed
from lorakit.facts.adapters.layers import AdapterLayer, Network, Shape, delta_shape
from lorakit.facts.adapters.layout import AdapterLayout
from lorakit.facts.adapters.places import path_in_clip
from lorakit.facts.adapters.roles import split
from lorakit.facts.adapters.sgm import from_sgm

Sizes = Mapping[Network, Mapping[str, Shape]]  # of each network's parameters by name
_FAMILIES = {768: "Stable Diffusion 1.x", 1024: "Stable Diffusion 2.x", 2048: "SDXL"}


_BASES = {"sd_v1": 768, "sd_1": 768, "sd_v2": 1024, "sd_2": 1024, "sdxl": 2048}


def sizes_of(network: Network, shapes: Mapping[str, Shape]) -> dict[str, Shape]:
    """A network's parameters by the names that adapters use."""
    if not network.startswith("text_encoder"):
        return dict(shapes)
    return {path_in_clip(name): s for name, s in shapes.items()}


def path_of(layer: AdapterLayer, unet: Mapping[str, Any]) -> str:
    """A layer's path in a model whose UNet has this configuration."""
    if not layer.sgm:
        return layer.name
    told = unet.get("layers_per_block", 2)
    per_level = set(told) if isinstance(told, list | tuple) else {told}
    if len(per_level) > 1:
        return layer.sgm  # levels of several depths, which those names do not tell apart
    return from_sgm(layer.sgm, int(per_level.pop())) or layer.sgm


def misfits(layout: AdapterLayout, sizes: Sizes, unet: Mapping[str, Any]) -> Iterator[str]:
    """What of an adapter does not fit a model; networks that are not in `sizes` are not looked at."""
    missing: list[str] = []
    wrong: list[str] = []
    for layer in layout.layers:
        if layer.network not in sizes:
            continue
        found, path = sizes[layer.network], path_of(layer, unet)
        keys = sorted(layer.tensors.values())
        if f"{path}.weight" not in found:
            missing.append(keys[0])
        elif not fits(layout.shapes(layer), layer, found, path):
            wrong.append(f"{keys[0]}{_sizes(layout.shapes(layer), layer, found[f'{path}.weight'])}")
    made = made_for(layout)
    of = f", an adapter of {made}," if made and (missing or wrong) else ""
    if missing:
        yield f"{layout.file}{of} changes layers that the model does not have: {listed(missing)}"
    if wrong:
        yield f"{layout.file}{of} changes what is of another size in the model: {listed(wrong)}"


def _sizes(shapes: Mapping[str, Shape], layer: AdapterLayer, weight: Shape) -> str:
    """What a layer's matrices multiply out to beside the weight's own size, where these differ."""
    found = None if layer.method in ("full", "norm") else delta_shape(layer.method, shapes)
    own = (weight[0], math.prod(weight[1:]))
    return f" ({found[0]}x{found[1]}, there {own[0]}x{own[1]})" if found and found != own else ""


def fits(
    shapes: Mapping[str, Shape], layer: AdapterLayer, found: Mapping[str, Shape], path: str
) -> bool:
    """Whether a layer's tensors change a weight of this shape, and a bias that is there."""
    weight, bias = found[f"{path}.weight"], found.get(f"{path}.bias")
    for role in ("diff_b", "b_norm", "up_bias"):
        if role in shapes and shapes[role] != bias:
            return False
    if not all(
        _magnitude_fits(role, shapes[role], weight) for role in _MAGNITUDES if role in shapes
    ):
        return False
    if layer.method in ("full", "norm"):
        difference = shapes.get("diff", shapes.get("w_norm", weight))
        return _trimmed(difference) == _trimmed(weight)
    if not _windows_fit(shapes, weight):
        return False
    return len(weight) > 1 and delta_shape(layer.method, shapes) == (
        weight[0],
        math.prod(weight[1:]),
    )


_MAGNITUDES = ("magnitude", "dora_scale")


def _magnitude_fits(role: str, shape: Shape, weight: Shape) -> bool:
    rows, columns = weight[0], weight[1]
    around = [size for size in shape if size != 1]
    if role == "magnitude":
        return math.prod(shape) == rows and len(around) <= 1
    return (
        len(around) <= 1
        and math.prod(shape) in (rows, columns)
        and shape[:2]
        in (
            (rows,),
            (rows, 1),
            (1, columns),
        )
    )


def _windows_fit(shapes: Mapping[str, Shape], weight: Shape) -> bool:
    """Whether what has a window has the weight's."""
    for role in ("down", "mid", "hada_t1", "hada_t2", "lokr_t2", "lokr_w2"):
        window = shapes[role][2:] if role in shapes else ()
        if role == "down" and "mid" in shapes:
            continue
        if window and _trimmed(window) != _trimmed(weight[2:]):
            return False
    return True


def _trimmed(shape: Sequence[int]) -> tuple[int, ...]:
    """A shape without the ones at its end: a convolution of 1x1 is a linear layer."""
    sizes = list(shape)
    while len(sizes) > 1 and sizes[-1] == 1:
        sizes.pop()
    return () if sizes == [1] else tuple(sizes)


def other_base(layout: AdapterLayout, unet: Mapping[str, Any]) -> str:
    """The base model that a file says it was trained on, in sd-scripts' words, where a model is of another.

    Some layers of Stable Diffusion 1.x and 2.x have the same sizes: an adapter of these alone would fit both.
    """
    told = layout.header.metadata.get("ss_base_model_version", "")
    width = next((width for start, width in _BASES.items() if told.startswith(start)), 0)
    own = unet.get("cross_attention_dim")
    return told if width and own in _FAMILIES and own != width else ""


def made_for(layout: AdapterLayout) -> str:
    """The family of models that an adapter was made for, as far as its layers tell; empty for unknown."""
    first = next(iter(layout.layers[0].tensors.values())) if layout.layers else ""
    path = first.removeprefix("lora_unet_").removeprefix("diffusion_model.")
    authors = made_by((split(path) or ("", ""))[0])
    if authors:
        return authors
    if any(layer.network == "text_encoder_2" for layer in layout.layers):
        return "SDXL"
    for layer in layout.layers:
        if layer.name.endswith(("attn2.to_k", "attn2.to_v")) and layer.method not in (
            "full",
            "norm",
        ):
            rows_columns = delta_shape(layer.method, layout.shapes(layer))
            if rows_columns:
                return _FAMILIES.get(rows_columns[1], "")
    return ""
