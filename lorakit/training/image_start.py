"""A training on pictures that goes on from an adapter: it begins as that does what it did."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from lorakit.diagnostics import LorakitError
from lorakit.facts.adapters.fit import path_of
from lorakit.facts.adapters.layout import read_layout
from lorakit.models.adapter_formats import Layer, weights_of
from lorakit.training.image_model import ADAPTER, named, parts_of


@torch.no_grad()
def start_from(networks: Any, file: Path) -> None:
    """Have the adapter begin as that of a file, which acts as strongly as it does there.

    Raises LorakitError where it is of another shape, or adapts what is not trained.
    """
    layout = read_layout(file)
    weights, config = weights_of(layout), networks.denoiser.config
    theirs = {
        f"{layer.network}.{path_of(layer, config)}": weights[f"{layer.network}.{layer.name}"]
        for layer in layout.layers
    }
    for part, module in parts_of(networks):
        for name, layer in module.named_modules():
            if hasattr(layer, "lora_A") and ADAPTER in layer.lora_A:
                source = theirs.pop(named(part, name), None)
                if source is not None:
                    _copy(source, layer, named(part, name))
    if theirs:
        raise LorakitError(f"what it goes on from adapts {min(theirs)}, which is not trained here")


def _copy(source: Layer, layer: Any, name: str) -> None:
    down, up = layer.lora_A[ADAPTER].weight, layer.lora_B[ADAPTER].weight
    tensors = source.tensors
    if source.method != "lora" or tensors["down"].shape != down.shape:
        theirs = tuple(tensors["down"].shape) if "down" in tensors else f"a {source.method}"
        raise LorakitError(
            f"{name} is {theirs} in what it goes on from, and {tuple(down.shape)} here"
        )
    down.copy_(tensors["down"])
    # what it acts with there, though alpha may be another here
    up.copy_(tensors["up"].float() * (source.scale / float(layer.scaling[ADAPTER])))
    magnitudes = getattr(layer, "lora_magnitude_vector", None)
    if "magnitude" in tensors and magnitudes:
        weight = magnitudes[ADAPTER].weight
        weight.copy_(tensors["magnitude"].reshape(weight.shape))
