"""Where a pipeline's weights wait while others compute, by diffusers' and accelerate's own hooks.

Nothing of it changes a bit: the same kernels run on the same device, on weights that came there a moment
before.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from lorakit.facts.machine.devices import DEVICES, HOST
from lorakit.families import Family
from lorakit.plan.memory_modes import GROUP, MODEL, Offload


def place(pipeline: Any, family: Family, device: str, offload: Offload) -> None:
    """Bring a pipeline to its device: all of it, one network at a time, or its blocks one by one."""
    if offload == MODEL:
        pipeline.enable_model_cpu_offload(device=device)
    elif offload == GROUP:
        _stream(pipeline, family, device)
    else:
        pipeline.to(device)


def place_again(pipeline: Any, device: str, offload: Offload) -> None:
    """The same for another pipeline on the components of one that is placed."""
    if offload == MODEL:  # each pipeline takes its own networks off the device where a call ends
        pipeline.enable_model_cpu_offload(device=device)


def _stream(pipeline: Any, family: Family, device: str) -> None:
    from diffusers.hooks import apply_group_offloading

    usual = {
        "onload_device": torch.device(device),
        "offload_device": torch.device(HOST),
        # the next block comes while this one computes
        "use_stream": DEVICES[device].own_memory,
    }
    components: Mapping[str, Any] = pipeline.components
    for name, part in components.items():
        if not isinstance(part, nn.Module):
            continue
        if name == family.denoiser:
            blocks: Any = part
            blocks.enable_group_offload(offload_type="block_level", num_blocks_per_group=1, **usual)
        elif name in family.encoders:
            # their blocks are deeper than diffusers looks
            apply_group_offloading(part, offload_type="leaf_level", **usual)
        else:
            part.to(device)
