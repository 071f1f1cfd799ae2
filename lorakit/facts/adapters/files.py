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
    """An adapter's weights file: the path, or in a folder what diffusers or PEFT call it, or its only one."""
    if not path.is_dir():
        return path
    named = (path / name for name in _NAMES if (path / name).is_file())
    others = sorted(path.glob("*.safetensors"))
    return next(named, others[0] if len(others) == 1 else path / DIFFUSERS_FILE)


def existing_file(path: Path) -> Path:
    """The same, where there is one. Raises AdapterError."""
    file = adapter_file(path)
    if path.is_dir() and not file.is_file():
        several = ", ".join(other.name for other in sorted(path.glob("*.safetensors"))[:3])
        neither = (
            f"no adapter: neither {DIFFUSERS_FILE} nor {PEFT_FILE}, nor one other .safetensors"
        )
        raise AdapterError(
            f"{path} holds {f'several adapters: {several}' if several else neither}",
            hint="give the path of one file",
        )
    return file
