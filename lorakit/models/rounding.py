"""Weights of linear layers rounded to few bits by bitsandbytes, once adapters are in them.

8 bits: LLM.int8, a scale a row, what comes in rounded too but where it is great (Dettmers et al. 2022,
https://arxiv.org/abs/2208.07339). 4 bits: the 16 values of NF4 with a scale for each 64 weights, itself
rounded (Dettmers et al. 2023, https://arxiv.org/abs/2305.14314); what is computed with them is not.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from lorakit.families import Family
from lorakit.plan.drawing_memory import LARGE

_GREAT = 6.0  # from which on LLM.int8 does not round what comes in, as published


@torch.no_grad()
def round_weights(network: nn.Module, bits: int, device: str) -> None:
    """Round a network's linear layers, one after the other, on the device.

    Layers that are kept in a wider precision than the others are left alone. To libraries it is then what
    they load in 8 or 4 bits themselves.
    """
    # it casts what comes in, as it has to, and says so in each call
    warnings.filterwarnings("ignore", message="MatMul8bitLt: inputs will be cast")
    dtype = next(p.dtype for p in network.parameters() if p.is_floating_point())
    made = _four_bits if bits == 4 else _eight_bits
    for holder, name, layer in list(_layers(network, dtype)):
        setattr(holder, name, made(layer).train(layer.training).to(device))
    setattr(network, f"is_loaded_in_{bits}bit", True)  # PEFT asks for it


def rounded(family: Family, pipeline: Any) -> tuple[nn.Module, ...]:
    """Of a pipeline's networks those that are rounded: the denoiser, and text encoders as large as one."""
    denoiser = getattr(pipeline, family.denoiser)
    # what is quantised in its file is kept as it is there
    chosen = [] if getattr(denoiser, "hf_quantizer", None) else [denoiser]
    for name in family.encoders:
        part = getattr(pipeline, name)
        if part is not None and sum(p.numel() for p in part.parameters()) >= LARGE:
            chosen.append(part)
    return tuple(part for part in chosen if part is not None)


def _layers(network: nn.Module, dtype: torch.dtype) -> Iterator[tuple[nn.Module, str, nn.Linear]]:
    for holder in network.modules():
        for name, layer in holder.named_children():
            if type(layer) is nn.Linear and layer.weight.dtype == dtype:
                yield holder, name, layer


def _four_bits(layer: nn.Linear) -> Any:
    from bitsandbytes.nn.modules import Linear4bit, Params4bit

    how: dict[str, Any] = {"compress_statistics": True, "quant_type": "nf4"}
    with torch.device("meta"):
        made = Linear4bit(
            layer.in_features,
            layer.out_features,
            bias=layer.bias is not None,
            compute_dtype=layer.weight.dtype,
            **how,
        )
    made.weight = Params4bit(
        layer.weight.data.contiguous(), requires_grad=False, module=made, **how
    )
    made.bias = layer.bias
    # its kernel for CPUs rounds scales once more, and takes layers of some sizes alone
    made.support_avx512bf16_for_cpu = False
    return made


def _eight_bits(layer: nn.Linear) -> Any:
    from bitsandbytes.nn.modules import Int8Params, Linear8bitLt

    with torch.device("meta"):
        made = Linear8bitLt(
            layer.in_features,
            layer.out_features,
            bias=layer.bias is not None,
            has_fp16_weights=False,
            threshold=_GREAT,
        )
    made.weight = Int8Params(
        layer.weight.data.contiguous(), requires_grad=False, has_fp16_weights=False
    )
    made.bias = layer.bias
    return made
