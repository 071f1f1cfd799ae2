"""How torch computes in every process of ours that runs a model: the same way each time, and no slower."""

from __future__ import annotations

import warnings

import torch


def prepare_torch(threads: int) -> None:
    """Fix the number of `threads`, flush denormals, ask for deterministic kernels."""
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)  # Adam's second moments crawl through them
    torch.use_deterministic_algorithms(True, warn_only=True)
    # where there is no such kernel, equal bytes are not promised: the run's log says so
    warnings.filterwarnings("once", message=".*does not have a deterministic implementation")
    # else each new tensor is filled with NaN first, for those who read what nobody wrote
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
