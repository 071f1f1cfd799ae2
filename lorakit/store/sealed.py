"""JSON that is kept to save time, under a seal: what was damaged or cut short counts as not there.

{"sha256": "<digest of the data's text>", "data": ...}
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from lorakit.files import read_regular
from lorakit.store import atomic

_SEAL = b'{"sha256": "%s",\n"data": '
_MOST = 500_000_000  # bytes; a memory of a million rows has 200 MB
_LENGTH = len(_SEAL % (b"0" * 64))


def write(file: Path, data: object) -> None:
    """Write JSON data under its seal, at once. Raises OSError."""
    text = json.dumps(data, allow_nan=False).encode()
    atomic.write_bytes(file, _SEAL % _digest(text) + text + b"}\n", durable=False)


def read(file: Path) -> object:
    """The data of a sealed file; None where there is none, or its seal is broken."""
    try:
        whole = read_regular(file, _MOST)
        text = whole[_LENGTH:-2]
        if whole[:_LENGTH] != _SEAL % _digest(text) or whole[-2:] != b"}\n":
            return None
        return json.loads(text)
    except (OSError, ValueError, RecursionError):
        return None


def _digest(text: bytes) -> bytes:
    return hashlib.sha256(text).hexdigest().encode()
