"""Adapters put into a pipeline's weights: the forward pass then costs what it costs without any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from lorakit.diagnostics import LorakitError
from lorakit.facts.adapters.fit import Sizes, misfits, path_of, sizes_of
from lorakit.facts.adapters.layers import NETWORKS
from lorakit.facts.adapters.layout import AdapterLayout, read_layout
from lorakit.models.adapter_deltas import adapted
from lorakit.models.adapter_formats import Layer, weights_of

Worn = dict[nn.Module, list[tuple[Layer, float]]]  # what changes each module, in the recipe's order


@torch.no_grad()
def wear(pipeline: Any, adapters: Sequence[tuple[Path, float]]) -> None:
    """Change a pipeline's weights by adapters, each as strongly as it says.

    Each weight is changed in fp32 and rounded once. Raises LorakitError where one does not fit, OSError.
    """
    worn: Worn = {}
    sizes = _sizes(pipeline)
    for file, strength in adapters:
        layout = read_layout(file)
        problems = list(misfits(layout, sizes, _unet_config(pipeline)))
        if problems:
            raise LorakitError("; ".join(problems))
        for module, layer in _modules(pipeline, layout):
            worn.setdefault(module, []).append((layer, strength))
    for module, layers in worn.items():
        weight: Any = module.weight
        bias: Any = getattr(module, "bias", None)
        new, new_bias = weight.float(), None if bias is None else bias.float()
        for layer, strength in layers:
            new, new_bias = adapted(new, new_bias, layer, strength)
        weight.copy_(new)
        if bias is not None:
            bias.copy_(new_bias)


def _unet_config(pipeline: Any) -> Mapping[str, Any]:
    unet = getattr(pipeline, "unet", None)
    config: Mapping[str, Any] = {} if unet is None else unet.config
    return config


def _sizes(pipeline: Any) -> Sizes:
    sizes = {}
    for network in NETWORKS:
        part = getattr(pipeline, network, None)
        named = part.named_parameters() if part is not None else ()
        # of a quantised weight the shape that it has where it is used
        shapes = {n: tuple(getattr(p, "quant_shape", p.shape)) for n, p in named}
        sizes[network] = sizes_of(network, shapes)
    return sizes


def _modules(pipeline: Any, layout: AdapterLayout) -> list[tuple[nn.Module, Layer]]:
    weights: Mapping[str, Layer] = weights_of(layout)
    modules = []
    for layer in layout.layers:
        network = getattr(pipeline, layer.network)
        path = path_of(layer, _unet_config(pipeline))
        if layer.network.startswith("text_encoder") and not hasattr(network, "text_model"):
            path = path.removeprefix("text_model.")  # transformers 5 has lost it
        modules.append((_plain(network, path), weights[f"{layer.network}.{layer.name}"]))
    return modules


def _plain(network: nn.Module, path: str) -> nn.Module:
    """A module of a network, in the precision it is called in where its weight is quantised (GGUF)."""
    module: Any = network.get_submodule(path)
    if not hasattr(module.weight, "quant_type"):
        plain: nn.Module = module
        return plain
    from diffusers.quantizers.gguf.utils import dequantize_gguf_tensor

    weight = dequantize_gguf_tensor(module.weight).to(module.compute_dtype)
    made = nn.Linear(weight.shape[1], weight.shape[0], bias=module.bias is not None, device="meta")
    made.weight = nn.Parameter(weight, requires_grad=False)
    if module.bias is not None:
        made.bias = nn.Parameter(module.bias.to(module.compute_dtype), requires_grad=False)
    above, _, name = path.rpartition(".")
    setattr(network.get_submodule(above), name, made)
    return made
