"""How every pipeline is opened, whatever it does, and made ready where nothing is trained."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from lorakit.diagnostics import LorakitError
from lorakit.models.processor import check_device


def opened(path: Path, device: str, build: Callable[[], Any]) -> Any:
    """The pipeline that `build` makes of what stands at `path`, on the CPU yet, its bars off.

    Raises LorakitError where it cannot be loaded, or there is no such device.
    """
    from diffusers.utils import logging

    logging.disable_progress_bar()
    check_device(device)
    try:
        pipeline = build()
    except (OSError, ValueError, RuntimeError, LookupError, TypeError) as error:
        raise LorakitError(f"the model in {path} cannot be loaded: {error}") from error
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def for_inference(pipeline: Any, device: str) -> Any:
    """A pipeline on a device, with all its parts."""
    for part in pipeline.components.values():
        if isinstance(part, torch.nn.Module):
            part.eval().requires_grad_(requires_grad=False)
    return pipeline.to(device)
