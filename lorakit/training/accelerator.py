"""accelerate, as every training has it: device, precision, processes, trackers."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from lorakit.facts.machine.devices import DEVICES
from lorakit.models.processor import check_device
from lorakit.training.ranks import leave_group
from lorakit.training.task import LoopSettings

_PATIENCE = timedelta(hours=2)  # processes wait that long for the one that measures and saves


def accelerator_for(settings: LoopSettings, logs: Path | None) -> Any:
    """accelerate's, alone or with the processes that the environment names as torchrun does."""
    from accelerate import Accelerator
    from accelerate.utils import DistributedDataParallelKwargs, InitProcessGroupKwargs

    check_device(settings.device)
    accelerator = Accelerator(
        mixed_precision="no" if settings.precision == "fp32" else settings.precision,
        cpu=not DEVICES[settings.device].gpu,
        log_with=list(settings.trackers) or None,
        project_dir=str(logs) if logs else None,
        kwargs_handlers=[
            InitProcessGroupKwargs(timeout=_PATIENCE),
            DistributedDataParallelKwargs(
                broadcast_buffers=False,  # nothing here trains a buffer
                find_unused_parameters=settings.idle_weights,  # else the second step waits for them
            ),
        ],
    )
    leave_group()
    return accelerator
