"""Adapters put into a pipeline's weights: the forward pass then costs what it costs without any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lorakit.diagnostics import LorakitError
from lorakit.facts.adapters.fit import Sizes, misfits, path_of, sizes_of
from lorakit.facts.adapters.layers import NETWORKS
from lorakit.facts.adapters.layout import AdapterLayout, read_layout
from lorakit.facts.machine.devices import HOST
from lorakit.models.adapter_deltas import adapted
from lorakit.models.adapter_formats import Layer, weights_of
from lorakit.plan.engine_specs import DrawingSpec

Worn = dict[nn.Module, list[tuple[Layer, float]]]  # what changes each module, in the recipe's order
Bare = dict[nn.Module, tuple[Tensor, Tensor | None]]  # weights and biases as they are without


class Dressing:
    """What a loaded pipeline wears; where its spec says that it changes, with what is under it.

    What is under adapters is kept on the CPU, and all sums are made there, as before a pipeline goes to its
    device: so the weights are those of one that was loaded with these adapters, to the bit.
    """

    def __init__(self, pipeline: Any, spec: DrawingSpec) -> None:
        """`pipeline` wears what its spec says, or nothing yet where that changes. Raises LorakitError."""
        self._pipeline, self._spec = pipeline, spec
        self._bare: Bare = {}
        if spec.changes and spec.adapters:
            wear(pipeline, spec.adapter_files, self._bare)

    @torch.no_grad()
    def becomes(self, spec: DrawingSpec) -> bool:
        """Whether it wears from now on what another spec says; False where that is another pipeline.

        Raises LorakitError, and is then of no more use.
        """
        if not (spec.changes and self._spec.changes and spec.bare() == self._spec.bare()):
            return False
        for module, (weight, bias) in self._bare.items():
            _put(module, weight, bias)
        wear(self._pipeline, spec.adapter_files, self._bare)
        self._spec = spec
        return True


@torch.no_grad()
def wear(pipeline: Any, adapters: Sequence[tuple[Path, float]], bare: Bare | None = None) -> None:
    """Change a pipeline's weights by adapters, each as strongly as it says.

    Each weight is changed in fp32 and rounded once; what it was is kept in `bare`. Raises LorakitError where
    one does not fit, OSError.
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
        if bare is not None and module not in bare:
            own = None if bias is None else bias.detach().to(HOST, copy=True)
            bare[module] = (weight.detach().to(HOST, copy=True), own)
        new, new_bias = weight.to(HOST).float(), None if bias is None else bias.to(HOST).float()
        for layer, strength in layers:
            new, new_bias = adapted(new, new_bias, layer, strength)
        _put(module, new, new_bias)


def _put(module: Any, weight: Tensor, bias: Tensor | None) -> None:
    module.weight.copy_(weight)
    if bias is not None:
        module.bias.copy_(bias)


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
