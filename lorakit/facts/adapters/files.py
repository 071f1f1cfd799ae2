"""Which file of a folder is an adapter, and what its files are called."""

from __future__ import annotations

from pathlib import Path

from lorakit.facts.adapters.errors import AdapterError

DIFFUSERS_FILE = "pytorch_lora_weights.safetensors"
PEFT_FILE, PEFT_SETTINGS = "adapter_model.safetensors", "adapter_config.json"
_NAMES = (DIFFUSERS_FILE, PEFT_FILE)


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
        raise AdapterError(
            f"{path} holds no adapter: neither {DIFFUSERS_FILE} nor {PEFT_FILE}",
            hint="a file of another name is given by its path",
        )
    return file
