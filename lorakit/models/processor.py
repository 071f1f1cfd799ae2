"""How torch computes in every process of ours that runs a model: the same way each time, and no slower."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from lorakit.diagnostics import LorakitError
from lorakit.facts.machine.devices import CUDA, HOST


@contextmanager
def exact_fp32() -> Iterator[None]:
    """Multiply fp32 as fp32, where a GPU would round to TF32: what is compared must be computed alike."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        with torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):
            yield
    finally:
        torch.set_float32_matmul_precision(before)


def free_device(model: torch.nn.Module) -> None:
    """Take a model that is done off its GPU, so that another process can load the same there."""
    there = {p.device.type for p in model.parameters()} - {HOST}
    if there:
        model.to(HOST)
    for device in there:
        torch.get_device_module(device).empty_cache()


def wait_for(device: str) -> None:
    """Wait until a GPU is through with what it was given, so that a clock says how long that took."""
    if device == CUDA:
        torch.cuda.synchronize()


def check_device(device: str) -> None:
    """Raise LorakitError where the plan is for a GPU that torch cannot use here: it would take the CPU."""
    if device != CUDA or torch.cuda.is_available():
        return
    try:
        torch.cuda.init()
        why = "it finds none"
    except (RuntimeError, AssertionError) as error:
        why = str(error).strip().splitlines()[0]
    raise LorakitError(
        f"the plan is for {device}, and torch cannot use it: {why}; LORAKIT_DEVICE={HOST} takes the CPU"
    )


def prepare_torch(threads: int) -> None:
    """Fix the number of `threads`, flush denormals, ask for deterministic kernels and no TF32."""
    torch.set_num_threads(threads)
    # torch lets convolutions round fp32 to TF32 on NVIDIA GPUs, and what stands around it may let products
    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.allow_tf32 = False
    torch.set_flush_denormal(True)  # Adam's second moments crawl through them
    torch.use_deterministic_algorithms(True, warn_only=True)
    # where there is no such kernel, equal bytes are not promised: the run's log says so
    warnings.filterwarnings("once", message=".*does not have a deterministic implementation")
    # else each new tensor is filled with NaN first, for those who read what nobody wrote
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
