"""The kinds of device that compute, and what each can: one record each; no other file names one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

HOST = "cpu"  # where noise is drawn, schedules step, and what was saved is checked
CUDA = "cuda"
MPS = "mps"


class Device(NamedTuple):
    """What a kind of device can, whatever its make.

    `gpu`: it computes beside the CPU, one process at a time for each. `own_memory`: it has memory of its own,
    which torch counts. `fp16` and `fused_adamw`: kernels it has. `unet_channels_last`: it likes a UNet so;
    a CPU's group norms take up to 25 times as long. `operations` are a low guess of floating-point
    operations a second, by precision, `per_core` of each of a CPU's cores; `fast_bf16` where bf16 has units
    of its own. `rounds`: kernels for weights of 8 and 4 bits.
    """

    name: str
    gpu: bool
    own_memory: bool
    fp16: bool
    fused_adamw: bool
    unet_channels_last: bool
    operations: Mapping[str, float]
    fast_bf16: float
    per_core: bool = False
    rounds: bool = True

    def operations_a_second(self, precision: str, cores: int, *, fast_bf16: bool) -> float:
        """A low guess, for a machine of so many cores."""
        fast = precision == "bf16" and fast_bf16
        one = self.fast_bf16 if fast else self.operations[precision]
        return one * (cores if self.per_core else 1)


DEVICES: Mapping[str, Device] = {
    device.name: device
    for device in (
        Device(
            HOST,
            gpu=False,
            own_memory=False,
            fp16=False,
            fused_adamw=True,
            unet_channels_last=False,
            operations=dict.fromkeys(("fp32", "bf16", "fp16"), 4e10),
            fast_bf16=7e10,
            per_core=True,
        ),
        Device(
            CUDA,
            gpu=True,
            own_memory=True,
            fp16=True,
            fused_adamw=True,
            unet_channels_last=True,
            operations={"fp32": 1e13, "bf16": 4e13, "fp16": 4e13},
            fast_bf16=4e13,
        ),
        Device(
            MPS,
            gpu=True,
            own_memory=False,
            fp16=True,
            fused_adamw=False,
            unet_channels_last=True,
            operations=dict.fromkeys(("fp32", "bf16", "fp16"), 2e12),
            fast_bf16=2e12,
            rounds=False,
        ),
    )
}
