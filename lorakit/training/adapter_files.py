"""Adapters on disk: equal adapters make equal bytes."""

from __future__ import annotations

import hashlib
from pathlib import Path

from lorakit.models import adapter_formats
from lorakit.models.adapter_formats import Adapter
from lorakit.store import atomic
from lorakit.training import canonical

FORMATS = ("diffusers", "kohya", "peft")


def write(adapter: Adapter, path: Path, style: str = "diffusers") -> None:
    """Write one file, and for `peft` its adapter_config.json beside it. Raises OSError, LorakitError."""
    if style == "peft":
        (tensors, header), settings = adapter_formats.to_peft(adapter)
        canonical.write(path, tensors, header)
        atomic.write_json(path.parent / "adapter_config.json", settings)
        return
    if style == "kohya":
        tensors, header = adapter_formats.to_kohya(adapter, path.stem)
        canonical.write(path, tensors, header)
        canonical.write(path, tensors, {**header, "sshs_model_hash": _hash_of_tensors(path)})
        return
    canonical.write(path, *adapter_formats.to_diffusers(adapter))


def _hash_of_tensors(path: Path) -> str:
    """SHA-256 of all that stands behind the header, as the web UIs name an adapter."""
    data = path.read_bytes()
    return hashlib.sha256(data[8 + int.from_bytes(data[:8], "little") :]).hexdigest()
