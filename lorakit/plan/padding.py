"""To which lengths texts are padded: a training does it, and its plan counts the memory."""

from __future__ import annotations

# a CPU's bf16 kernels are kept for each shape that was met, with memory of their own, and a GPU's tensor
# cores work in eights
_MULTIPLES = {"fp32": 1, "bf16": 8, "fp16": 8}


def padded(length: int, precision: str, most: int) -> int:
    """Tokens of a batch whose longest text has `length`; never over `most`, unless the text itself is."""
    return max(length, min(length + -length % _MULTIPLES[precision], most))
