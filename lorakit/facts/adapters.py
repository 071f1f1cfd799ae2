"""Adapters made elsewhere: which file of a folder is one, and what decides its effect. Without torch."""

from __future__ import annotations

import json
import struct
from pathlib import Path

from lorakit.diagnostics import LorakitError
from lorakit.facts.digests import Digests
from lorakit.store.canonical import digest_of

_NAMES = ("pytorch_lora_weights.safetensors", "adapter_model.safetensors")  # diffusers' and PEFT's
_CONFIG = "adapter_config.json"
_PEFT = "base_model.model."
_LARGEST_HEADER = 100_000_000  # bytes


class AdapterError(LorakitError):
    """An adapter cannot be used; the message says why."""


def adapter_file(path: Path) -> Path:
    """The weights file of an adapter: the path itself, or what diffusers or PEFT call it in a folder."""
    if not path.is_dir():
        return path
    return next((path / name for name in _NAMES if (path / name).is_file()), path / _NAMES[0])


def adapter_digest(path: Path, digests: Digests) -> str:
    """The digest of what an adapter does: its weights, and PEFT's settings, which stand beside them.

    Raises AdapterError, OSError.
    """
    file = adapter_file(path)
    if path.is_dir() and not file.is_file():
        raise AdapterError(f"{path} holds no adapter: neither {_NAMES[0]} nor {_NAMES[1]}")
    keys, metadata = _header(file)
    if not any(key.startswith(_PEFT) for key in keys) or "peft_config" in metadata:
        return digests.file(file)
    config = file.with_name(_CONFIG)
    if not config.is_file():
        raise AdapterError(
            f"{file.name} is in PEFT's format, and {_CONFIG}, which has its alpha, is not beside it"
        )
    if file.name != _NAMES[1] and (file.parent / _NAMES[1]).is_file():
        raise AdapterError(
            f"{_CONFIG} beside {file.name} belongs to {_NAMES[1]}: give each a folder of its own"
        )
    return digest_of([digests.file(file), digests.file(config)])


def _header(file: Path) -> tuple[frozenset[str], dict[str, str]]:
    with file.open("rb") as handle:
        try:
            (length,) = struct.unpack("<Q", handle.read(8))
            header = json.loads(handle.read(length)) if length <= _LARGEST_HEADER else None
        except (ValueError, struct.error):
            header = None
    if not isinstance(header, dict):
        raise AdapterError(f"{file.name} is not a safetensors file")
    metadata = header.pop("__metadata__", None)
    return frozenset(header), metadata if isinstance(metadata, dict) else {}
