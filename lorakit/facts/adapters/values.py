"""The few values that a plan reads of an adapter's tensors, without torch: alphas, and what is not finite."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from lorakit.facts.files.weights_header import TensorInfo, WeightsHeader

FLOATS = ("F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2")  # what weights are read in
_NUMPY: Mapping[str, str] = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "<i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "<u1",
}  # fmt: skip
# of each kind of float: an integer as wide, and the bits of the exponent, all set where a value is not finite
_EXPONENTS: Mapping[str, tuple[str, int]] = {
    "F64": ("<u8", 0x7FF0_0000_0000_0000),
    "F32": ("<u4", 0x7F80_0000),
    "F16": ("<u2", 0x7C00),
    "BF16": ("<u2", 0x7F80),
    "F8_E5M2": ("<u1", 0x7C),
    "F8_E4M3": ("<u1", 0x7F),  # it has no infinity, and one NaN of either sign
}
_PIECE = 1 << 24  # bytes looked at in one go


def number(file: Path, tensor: TensorInfo) -> float | None:
    """The value of a tensor that holds one; None where it does not, or is no number. Raises OSError."""
    if math.prod(tensor.shape) != 1:
        return None
    import numpy as np  # where a plan has no adapters it is not needed

    with (tensor.file or file).open("rb") as handle:
        handle.seek(tensor.start)
        raw = handle.read(tensor.end - tensor.start)
    if tensor.dtype in _NUMPY:
        return float(np.frombuffer(raw, _NUMPY[tensor.dtype])[0])
    if tensor.dtype == "BF16":
        return float(np.frombuffer(b"\0\0" + raw, "<f4")[0])
    if tensor.dtype == "F8_E5M2":
        return float(np.frombuffer(b"\0" + raw, "<f2")[0])
    return _e4m3(raw[0]) if tensor.dtype == "F8_E4M3" else None


def _e4m3(bits: int) -> float:
    sign, exponent, fraction = -1.0 if bits & 0x80 else 1.0, bits >> 3 & 0xF, bits & 7
    if bits & 0x7F == 0x7F:
        return math.nan
    value = 2.0**-6 * fraction / 8 if not exponent else 2.0 ** (exponent - 7) * (1 + fraction / 8)
    return sign * value


def not_finite(file: Path, header: WeightsHeader) -> list[str]:
    """Tensors with values that are not numbers or infinite. Raises OSError."""
    found: list[str] = []
    by_file: dict[Path, dict[str, TensorInfo]] = {}
    for name, tensor in header.tensors.items():
        if tensor.dtype in _EXPONENTS:
            by_file.setdefault(tensor.file or file, {})[name] = tensor
    for each, tensors in by_file.items():
        with each.open("rb") as handle:
            found += [
                name
                for name, tensor in sorted(tensors.items(), key=lambda item: item[1].start)
                if not _finite(handle, tensor)
            ]
    return found


def _finite(handle: BinaryIO, tensor: TensorInfo) -> bool:
    import numpy as np

    kind, mask = _EXPONENTS[tensor.dtype]
    handle.seek(tensor.start)
    left = tensor.end - tensor.start
    while left:
        bits = np.frombuffer(handle.read(min(left, _PIECE)), kind)
        left -= bits.nbytes
        if not bits.nbytes or bool(np.any(bits & bits.dtype.type(mask) == mask)):
            return False
    return True
