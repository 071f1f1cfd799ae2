"""Weights that are not trained, kept in the precision in which autocast computes with them.

autocast casts a weight anew in every pass; one that never changes is the same each time.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from lorakit.facts.machine.devices import HOST
from lorakit.facts.machine.this_machine import cpu_patches

_LOW = {"bf16": torch.bfloat16, "fp16": torch.float16}


class FrozenWeights:
    """Linear layers and convolutions without a trained weight, in low precision until `restore`.

    Under autocast a pass gives the same bits as before. The fp32 weights are kept on the host.
    """

    def __init__(self, model: nn.Module, precision: str) -> None:
        """`precision` is the training's; fp32 leaves everything as it is."""
        self._kept: list[tuple[nn.Parameter, torch.Tensor]] = []
        self._adapted: list[Any] = []
        low = _LOW.get(precision)
        if low is None or not cpu_patches() or _looks_at_weights(model):
            return
        for module in model.modules():
            own = list(module.parameters(recurse=False))
            if isinstance(module, nn.Linear | nn.Conv2d) and not any(p.requires_grad for p in own):
                # beside a GPU they wait on the host, and come back for what is compared in fp32; some are
                # kept lower from the beginning
                self._kept += [(p, p.data.to(HOST)) for p in own if p.dtype == torch.float32]
            if hasattr(module, "cast_input_dtype_enabled") and not _drops(module):
                self._adapted.append(module)
        for parameter, _ in self._kept:
            parameter.data = parameter.data.to(low)
        self._to_fp32(False)

    def restore(self) -> None:
        """Put the fp32 weights back, once nothing is trained any more."""
        for parameter, whole in self._kept:
            parameter.data = whole.to(parameter.device)
        self._to_fp32(True)
        self._kept, self._adapted = [], []

    def _to_fp32(self, wanted: bool) -> None:
        """Whether PEFT casts what comes into an adapter to fp32, which autocast takes back at once."""
        for module in self._adapted:
            module.cast_input_dtype_enabled = wanted


def _looks_at_weights(model: nn.Module) -> bool:
    """Whether an adapter computes with the weights themselves, as DoRA does with their norms."""
    return any(getattr(module, "lora_variant", None) for module in model.modules())


def _drops(adapted: Any) -> bool:
    """Whether an adapter has dropout, which rounds otherwise in low precision.

    LoHa and LoKr drop ranks of their weights, and never what comes in.
    """
    dropouts = getattr(adapted, "lora_dropout", {})
    return any(isinstance(module, nn.Dropout) for module in dropouts.values())
