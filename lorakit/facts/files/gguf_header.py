"""The header of a GGUF file, read without torch and in bounded time, and believed where all of it is sound.

The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. Names and shapes are as torch has them.
"""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Iterator, Mapping
from io import BufferedReader
from pathlib import Path

from lorakit.facts.files.weights_header import (
    TensorInfo,
    WeightsError,
    WeightsHeader,
    tensor_name,
)
from lorakit.files import open_regular

SUFFIX = ".gguf"
# by number: name, values of a block, bytes of one
KINDS: Mapping[int, tuple[str, int, int]] = {
    0: ("F32", 1, 4), 1: ("F16", 1, 2), 30: ("BF16", 1, 2), 28: ("F64", 1, 8),
    24: ("I8", 1, 1), 25: ("I16", 1, 2), 26: ("I32", 1, 4), 27: ("I64", 1, 8),
    2: ("Q4_0", 32, 18), 3: ("Q4_1", 32, 20), 6: ("Q5_0", 32, 22), 7: ("Q5_1", 32, 24),
    8: ("Q8_0", 32, 34), 9: ("Q8_1", 32, 40), 10: ("Q2_K", 256, 84), 11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144), 13: ("Q5_K", 256, 176), 14: ("Q6_K", 256, 210), 15: ("Q8_K", 256, 292),
    16: ("IQ2_XXS", 256, 66), 17: ("IQ2_XS", 256, 74), 18: ("IQ3_XXS", 256, 98),
    19: ("IQ1_S", 256, 50), 20: ("IQ4_NL", 32, 18), 21: ("IQ3_S", 256, 110), 22: ("IQ2_S", 256, 82),
    23: ("IQ4_XS", 256, 136), 29: ("IQ1_M", 256, 56), 34: ("TQ1_0", 256, 54), 35: ("TQ2_0", 256, 66),
    39: ("MXFP4", 32, 17), 40: ("NVFP4", 64, 36), 41: ("Q1_0", 128, 18),
}  # fmt: skip
_VERSIONS = (2, 3)
_MOST = 1_000_000  # tensors, keys or values of an array
_LONGEST = 64 << 20  # bytes of a text, and of all that stands before the tensors
_DIMENSIONS = 8
_ALIGNED = 32  # bytes that tensors begin at multiples of, where a file says nothing
# by number: how a value is packed; 8 is a text, 9 an array
_SCALARS = {
    0: "B",
    1: "b",
    2: "H",
    3: "h",
    4: "I",
    5: "i",
    6: "f",
    7: "?",
    10: "Q",
    11: "q",
    12: "d",
}
_TEXT, _ARRAY = 8, 9


def gguf_header(file: Path) -> WeightsHeader:
    """A header and its keys that are texts, held against the file. Raises WeightsError, OSError."""
    with open_regular(file) as handle:
        size = os.fstat(handle.fileno()).st_size
        reading = _Reading(handle, min(size, _LONGEST))
        try:
            return reading.header(size)
        except _Unsound as error:
            raise WeightsError(f"{file} is not a GGUF file, or is cut short: {error}") from error


class _Unsound(Exception):
    """The header is not as the format has it."""


class _Reading:
    """A file as it is read from the front."""

    def __init__(self, handle: BufferedReader, end: int) -> None:
        self._handle, self._left = handle, end

    def header(self, size: int) -> WeightsHeader:
        if self._bytes(4) != b"GGUF":
            raise _Unsound("it does not begin with GGUF")
        (version,) = self._unpacked("I")
        if version not in _VERSIONS:
            raise _Unsound(f"its version is {version}, where 2 and 3 are read")
        tensors, keys = self._count("tensors"), self._count("keys")
        metadata: dict[str, str] = {}
        aligned = _ALIGNED
        for _ in range(keys):
            name = self._text()
            (kind,) = self._unpacked("I")
            value = self._value(kind)
            if isinstance(value, str):
                metadata[name] = value
            elif name == "general.alignment" and isinstance(value, int):
                aligned = value
        if not 1 <= aligned <= 1 << 20:
            raise _Unsound(f"its tensors are aligned to {aligned} bytes")
        told = [self._tensor() for _ in range(tensors)]
        start = math.ceil(self._handle.tell() / aligned) * aligned
        return WeightsHeader(dict(_placed(told, start, size)), metadata)

    def _bytes(self, count: int) -> bytes:
        self._left -= count
        found = self._handle.read(count) if self._left >= 0 else b""
        if len(found) < count:
            raise _Unsound("its header has no end")
        return found

    def _unpacked(self, form: str) -> tuple[int, ...]:
        found: tuple[int, ...] = struct.unpack(f"<{form}", self._bytes(struct.calcsize(f"<{form}")))
        return found

    def _count(self, what: str) -> int:
        (count,) = self._unpacked("Q")
        if count > _MOST:
            raise _Unsound(f"it has {count:,} {what}")
        return count

    def _text(self) -> str:
        (length,) = self._unpacked("Q")
        try:
            return self._bytes(length).decode()
        except UnicodeDecodeError as error:
            raise _Unsound("a text in its header is not UTF-8") from error

    def _value(self, kind: int) -> object:
        if kind == _TEXT:
            return self._text()
        if kind != _ARRAY:
            return self._scalar(kind)
        (inner,) = self._unpacked("I")
        count = self._count("values in an array")
        if inner == _TEXT:
            for _ in range(count):
                self._text()
        elif inner in _SCALARS:
            self._bytes(count * struct.calcsize(f"<{_SCALARS[inner]}"))
        else:
            raise _Unsound(f"an array in its header is of kind {inner}")
        return None

    def _scalar(self, kind: int) -> int:
        if kind not in _SCALARS:
            raise _Unsound(f"a value in its header is of kind {kind}")
        return self._unpacked(_SCALARS[kind])[0]

    def _tensor(self) -> tuple[str, int, tuple[int, ...], int]:
        name = self._text()
        (dimensions,) = self._unpacked("I")
        if dimensions > _DIMENSIONS:
            raise _Unsound(f"{tensor_name(name)} has {dimensions} dimensions")
        # the last dimension comes first
        shape = tuple(reversed(self._unpacked("Q" * dimensions)))
        kind, offset = self._unpacked("IQ")
        return name, kind, shape, offset


def _placed(
    told: list[tuple[str, int, tuple[int, ...], int]], start: int, size: int
) -> Iterator[tuple[str, TensorInfo]]:
    seen: set[str] = set()
    for name, kind, shape, offset in told:
        shown = tensor_name(name)
        if name in seen:
            raise _Unsound(f"it has {shown} twice")
        seen.add(name)
        if kind not in KINDS:
            raise _Unsound(f"{shown} is of kind {kind}, which the format does not have")
        called, block, weight = KINDS[kind]
        values = math.prod(shape)
        if block > 1 and (not shape or shape[-1] % block):
            raise _Unsound(f"{shown} is {called}, and its rows are no multiple of {block} long")
        begin = start + offset
        end = begin + values // block * weight
        if end > size:
            raise _Unsound(f"{end - size:,} bytes of {shown} are missing")
        yield name, TensorInfo(called, shape, begin, end)
