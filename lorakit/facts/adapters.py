"""Adapters made elsewhere: which file of a folder is one, and what decides its effect. Without torch."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from lorakit.diagnostics import LorakitError
from lorakit.facts.digests import Digests
from lorakit.facts.weights_header import WeightsError, WeightsHeader, weights_header
from lorakit.store.canonical import digest_of

DIFFUSERS_FILE = "pytorch_lora_weights.safetensors"
PEFT_FILE, PEFT_SETTINGS = "adapter_model.safetensors", "adapter_config.json"
_NAMES = (DIFFUSERS_FILE, PEFT_FILE)
_PEFT = "base_model.model."
# how the names of what an adapter is made of are told from those of a model's own weights
_MARKS = ("lora", "hada_", "lokr_")
# where a UNet's layers stand, so that PEFT's names tell what was adapted
_UNET = ("down_blocks", "mid_block", "up_blocks", "conv_in", "conv_out", "time_embedding",
         "add_embedding", "class_embedding", "encoder_hid_proj")  # fmt: skip


class AdapterError(LorakitError):
    """An adapter cannot be used; the message says why."""


def trained_file(peft_type: str) -> str:
    """What a trained adapter's weights are called: diffusers has a format for LoRA alone."""
    return DIFFUSERS_FILE if peft_type == "lora" else PEFT_FILE


def adapter_file(path: Path) -> Path:
    """The weights file of an adapter: the path itself, or what diffusers or PEFT call it in a folder."""
    if not path.is_dir():
        return path
    return next((path / name for name in _NAMES if (path / name).is_file()), path / DIFFUSERS_FILE)


def existing_file(path: Path) -> Path:
    """The same, where there is one. Raises AdapterError."""
    file = adapter_file(path)
    if path.is_dir() and not file.is_file():
        raise AdapterError(f"{path} holds no adapter: neither {DIFFUSERS_FILE} nor {PEFT_FILE}")
    return file


def check_pictures(file: Path, keys: Collection[str]) -> None:
    """Raise AdapterError where tensors of these names do not adapt what draws pictures."""
    marked = [key for key in keys if any(mark in key.casefold() for mark in _MARKS)]
    if not marked:
        raise AdapterError(
            f"{file} holds no adapter: none of its tensors is of a LoRA, LoHa or LoKr"
        )
    inner = [key.removeprefix(_PEFT) for key in marked if key.startswith(_PEFT)]
    if inner and not any(name.startswith(_UNET) for name in inner):
        layer = re.split("|".join(_MARKS), min(inner), maxsplit=1)[0].rstrip("._")
        raise AdapterError(
            f"{file} is an adapter of {layer}, which is no layer of a UNet: "
            "a text classifier's adapter draws no pictures"
        )


def adapter_digest(path: Path, digests: Digests) -> str:
    """The digest of what an adapter does: its weights, and PEFT's settings, which stand beside them.

    Raises AdapterError, OSError.
    """
    file = existing_file(path)
    header = _header(file)
    check_pictures(file, header.tensors)
    if not any(key.startswith(_PEFT) for key in header.tensors) or "peft_config" in header.metadata:
        return digests.file(file)
    config = file.with_name(PEFT_SETTINGS)
    if not config.is_file():
        raise AdapterError(
            f"{file.name} is in PEFT's format, and {PEFT_SETTINGS}, which has its alpha, is not beside it"
        )
    if file.name != PEFT_FILE and (file.parent / PEFT_FILE).is_file():
        raise AdapterError(
            f"{PEFT_SETTINGS} beside {file.name} belongs to {PEFT_FILE}: give each a folder of its own"
        )
    return digest_of([digests.file(file), digests.file(config)])


def _header(file: Path) -> WeightsHeader:
    try:
        return weights_header(file)
    except WeightsError as error:
        raise AdapterError(str(error)) from error
