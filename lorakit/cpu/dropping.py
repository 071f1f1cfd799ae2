"""Which values dropout drops, drawn on a CPU several at a time.

torch's own kernel draws a number for each value, one after the other; of a small transformer's step
that is a fifth. Here each 64 random bits decide about four values.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from lorakit.facts.machine.this_machine import cpu_patches

_LEAST = -(1 << 63)
_STEPS = 1 << 16  # probabilities are multiples of one in so many


def drawn(
    values: torch.Tensor, p: float = 0.5, *, generator: torch.Generator | None = None
) -> torch.Tensor:
    """Fill `values` with ones, each with probability `p` rounded to 1/65536, and zeros; as `bernoulli_`."""
    count = values.numel()
    bits = torch.empty(-(-count // 4), dtype=torch.int64)
    bits.random_(_LEAST, None, generator=generator)
    sixteen = bits.view(torch.int16)[:count].view(values.shape)
    least = round(p * _STEPS) - _STEPS // 2  # they are signed
    if least == _STEPS // 2:
        return values.fill_(1)
    return torch.lt(sixteen, least, out=values)


@contextmanager
def quick_dropout() -> Iterator[None]:
    """Within it every dropout on the CPU, attention's too, draws from torch's generator by `drawn`."""
    if not cpu_patches():
        yield
        return
    open_library: Any = torch.library.Library  # its stubs name no types
    library = open_library("aten", "IMPL")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a kernel is replaced is what we want
        library.impl("bernoulli_.float", drawn, "CPU")
    try:
        yield
    finally:
        library._destroy()  # noqa: SLF001
