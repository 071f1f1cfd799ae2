"""Adapters on disk: equal adapters make equal bytes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lorakit.diagnostics import LorakitError
from lorakit.facts.adapters import DIFFUSERS_FILE, PEFT_FILE, PEFT_SETTINGS
from lorakit.models import adapter_formats
from lorakit.models.adapter_formats import Adapter
from lorakit.store import atomic
from lorakit.training import canonical

FORMATS = ("diffusers", "kohya", "peft")
# what a folder of each format calls its weights; kohya's files have names of their own
NAMES: Mapping[str, str] = {"diffusers": DIFFUSERS_FILE, "peft": PEFT_FILE}
_KEPT = ("ss_", "modelspec.")  # what tools say of an adapter, which is true of it in any format
_STALE = ("modelspec.hash_sha256",)  # of a file's bytes


def write(
    adapter: Adapter,
    path: Path,
    style: str = "diffusers",
    base: str = "",
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write one file, and for `peft` its adapter_config.json beside it. Raises OSError, LorakitError.

    `base` is the version of the base model in kohya's words, such as `sd_v2`; empty is told by shapes.
    `metadata` is in the header of the file that the adapter is from: what it says of it is kept.
    """
    kept = {
        key: value
        for key, value in (metadata or {}).items()
        if key.startswith(_KEPT) and key not in _STALE
    }
    if base:
        kept[adapter_formats.BASE] = base
    if style == "peft":
        (tensors, header), settings = adapter_formats.to_peft(adapter)
        beside = path.parent / PEFT_SETTINGS
        others = [f for f in path.parent.glob("*.safetensors") if f != path]
        if beside.exists() and others:
            raise LorakitError(
                f"{beside} is of {others[0].name}: PEFT's folders hold one adapter, write to another"
            )
        canonical.write(path, tensors, {**header, **kept})
        atomic.write_json(beside, settings)
        return
    if style == "kohya":
        tensors, header = adapter_formats.to_kohya(adapter, path.stem, base, kept)
        digest = canonical.data_digest(tensors)
        canonical.write(path, tensors, {**header, "sshs_model_hash": digest})
        return
    tensors, header = adapter_formats.to_diffusers(adapter)
    canonical.write(path, tensors, {**header, **kept})
