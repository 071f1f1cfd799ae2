"""How much memory this process has needed at its peak."""

from __future__ import annotations

import sys

from lorakit.facts.machine.devices import DEVICES


def peak_memory(device: str) -> int:
    """Bytes: of the GPU where one trains, else of the process."""
    if DEVICES[device].own_memory:
        import torch

        return int(torch.get_device_module(device).max_memory_allocated())
    if sys.platform == "win32":
        import psutil

        return int(psutil.Process().memory_info().peak_wset)
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak if sys.platform == "darwin" else peak * 1024)
