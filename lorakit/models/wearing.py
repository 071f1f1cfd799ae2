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
        shapes = {n: tuple(p.shape) for n, p in part.named_parameters()} if part is not None else {}
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
        modules.append((network.get_submodule(path), weights[f"{layer.network}.{layer.name}"]))
    return modules
