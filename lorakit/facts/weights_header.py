"""The header of a safetensors file, read without torch: https://github.com/huggingface/safetensors."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

_LARGEST = 100_000_000  # bytes


def weights_header(file: Path) -> dict[str, Any] | None:
    """What a file says of its tensors by name, and of itself under `__metadata__`; None where it is another.

    Raises OSError, and ValueError where what should be the header cannot be read.
    """
    with file.open("rb") as handle:
        start = handle.read(8)
        try:
            (length,) = struct.unpack("<Q", start)
        except struct.error as error:
            raise ValueError(str(error)) from error
        header = json.loads(handle.read(length)) if length <= _LARGEST else None
    return header if isinstance(header, dict) else None
