"""The header of a safetensors file, read without torch, and believed only where all of it is sound.

The format: https://github.com/huggingface/safetensors#format.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import jsonschema_rs

from lorakit.diagnostics import LorakitError
from lorakit.files import open_regular
from lorakit.records import record

# bits of one value
DTYPE_BITS: Mapping[str, int] = {
    "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "BOOL": 8, "U8": 8, "I8": 8,
    "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32,
    "C64": 64, "F64": 64, "I64": 64, "U64": 64,
}  # fmt: skip
_LARGEST = 100_000_000  # bytes of a header, as the library has it
_COUNT = {"type": "integer", "minimum": 0}
_SCHEMA = {
    "type": "object",
    "properties": {"__metadata__": {"type": "object", "additionalProperties": {"type": "string"}}},
    "additionalProperties": {
        "type": "object",
        "properties": {
            "dtype": {"enum": list(DTYPE_BITS)},
            "shape": {"type": "array", "items": _COUNT, "maxItems": 32},
            "data_offsets": {"type": "array", "items": _COUNT, "minItems": 2, "maxItems": 2},
        },
        "required": ["dtype", "shape", "data_offsets"],
        "additionalProperties": False,
    },
}
_MEANT = {
    "dtype": "its dtype is none that the format has",
    "shape": "its shape is no list of whole numbers of 0 or more",
    "data_offsets": "its data_offsets are not two whole numbers of 0 or more",
    "": "it is not described by dtype, shape and data_offsets",
}
_SHOWN = 120  # characters of a tensor's name in a message


class WeightsError(LorakitError):
    """A file is no whole safetensors file; the message names it and says what is wrong."""


@record
class TensorInfo:
    """What a header says of a tensor; `start` and `end` are bytes of the file.

    Of weights in several files `file` is the one it stands in, and `key` its name there.
    """

    dtype: str
    shape: tuple[int, ...]
    start: int = 0
    end: int = 0
    file: Path | None = None
    key: str = ""


@record
class WeightsHeader:
    """Tensors by name, and what the file says of itself."""

    tensors: Mapping[str, TensorInfo]
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes by name."""
        return {name: tensor.shape for name, tensor in self.tensors.items()}


def weights_header(file: Path) -> WeightsHeader:
    """Read a header and hold it against the file. Raises WeightsError, OSError."""
    if file.exists() and not file.is_file():  # a pipe would be waited for
        raise WeightsError(f"{file} is no file with weights in it")
    with open_regular(file) as handle:
        size = os.fstat(handle.fileno()).st_size
        length = int.from_bytes(handle.read(8), "little")
        if not 2 <= length <= min(_LARGEST, size - 8):
            raise WeightsError(
                f"{file} is not a safetensors file, or is cut short: it has no whole header"
            )
        text = handle.read(length)
    try:
        return _checked(text, 8 + length, size)
    except _Unsound as error:
        raise WeightsError(f"{file} is not a safetensors file: {error}") from error
    except _Damaged as error:
        raise WeightsError(f"{file} is damaged: {error}") from error


class _Unsound(Exception):
    """The header is not as the format has it."""


class _Damaged(Exception):
    """The header is sound, and what stands behind it is not what it says."""


def tensor_name(name: str) -> str:
    """A tensor's name as a message shows it."""
    return name if len(name) <= _SHOWN else f"{name[: _SHOWN // 2]}…{name[-_SHOWN // 2 :]}"


def _checked(text: bytes, data: int, size: int) -> WeightsHeader:
    found = _parsed(text)
    try:
        problem = next(_validator().iter_errors(found), None)
    except (ValueError, OverflowError) as error:  # nested further than the library goes
        raise _Unsound("its header is nested too deeply") from error
    if problem is not None:
        raise _Unsound(_worded([str(part) for part in problem.instance_path]))
    metadata = found.pop("__metadata__", {})
    tensors = {
        name: TensorInfo(
            told["dtype"], tuple(told["shape"]), *(data + at for at in told["data_offsets"])
        )
        for name, told in found.items()
    }
    end = data
    for name, tensor in sorted(tensors.items(), key=lambda item: (item[1].start, item[1].end)):
        if tensor.start != end or tensor.end < tensor.start:
            raise _Unsound(f"the bytes of {tensor_name(name)} do not follow the tensor before it")
        if (tensor.end - end) * 8 != math.prod(tensor.shape) * DTYPE_BITS[tensor.dtype]:
            raise _Unsound(f"{tensor_name(name)} has another number of bytes than its shape says")
        end = tensor.end
    if size < end:
        raise _Damaged(f"it is cut short, {end - size:,} of {end:,} bytes are missing")
    if size > end:
        raise _Damaged(f"{size - end:,} bytes stand behind its last tensor")
    return WeightsHeader(tensors, metadata)


def _parsed(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(
            text.decode(),
            object_pairs_hook=_without_doubles,
            parse_float=_no_number,
            parse_constant=_no_number,
        )
    except UnicodeDecodeError as error:
        raise _Unsound("its header is not UTF-8") from error
    except RecursionError as error:
        raise _Unsound("its header is nested too deeply") from error
    except ValueError as error:
        raise _Unsound("its header is not JSON") from error
    if not isinstance(found, dict):
        raise _Unsound("its header is no JSON object")
    return found


def _without_doubles(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = next(name for name, count in counts.items() if count > 1)
        raise _Unsound(f"its header has {tensor_name(twice)} twice")
    for name in found:
        if not name.isascii() and re.search("[\ud800-\udfff]", name):  # half of a character
            raise _Unsound("its header is not UTF-8")
    return found


def _no_number(text: str) -> NoReturn:
    raise _Unsound(f"its header has a number in it that is not whole: {text[:20]}")


@cache
def _validator() -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(_SCHEMA)


def _worded(path: Sequence[str]) -> str:
    if not path:
        return "its header is not as the format has it"
    name, *rest = path
    if name == "__metadata__":
        return "what it says of itself (__metadata__) is not all text"
    return f"of {tensor_name(name)}: {_MEANT.get(rest[0] if rest else '', _MEANT[''])}"


def float_shapes(header: WeightsHeader) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Names and shapes of what can be trained: positions that are counted are kept as integers."""
    for name, tensor in header.tensors.items():
        if tensor.dtype.startswith(("F", "BF")):
            yield name, tensor.shape
