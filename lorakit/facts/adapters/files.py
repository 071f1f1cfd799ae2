"""Which file of a folder is an adapter, and what its files are called."""

from __future__ import annotations

from pathlib import Path

from lorakit.facts.adapters.errors import AdapterError

DIFFUSERS_FILE = "pytorch_lora_weights.safetensors"
PEFT_FILE, PEFT_SETTINGS = "adapter_model.safetensors", "adapter_config.json"
_NAMES = (DIFFUSERS_FILE, PEFT_FILE)
# where PEFT's scripts save each network by itself
_PARTS = ("unet", "text_encoder", "text_encoder_2")


def trained_file(peft_type: str) -> str:
    """What a trained adapter's weights are called: diffusers has a format for LoRA alone."""
    return DIFFUSERS_FILE if peft_type == "lora" else PEFT_FILE


def adapter_file(path: Path) -> Path:
    """An adapter's weights file: the path, or in a folder what diffusers or PEFT call it, or its only one."""
    if not path.is_dir():
        return path
    named = (path / name for name in _NAMES if (path / name).is_file())
    others = sorted(path.glob("*.safetensors"))
    parts = _parts(path)
    if len(parts) == 1 and not others:
        return path / parts[0] / PEFT_FILE
    return next(named, others[0] if len(others) == 1 else path / DIFFUSERS_FILE)


def part_of(file: Path) -> str:
    """The network that PEFT's file is of by its folder's name; empty where the folder says none."""
    return file.parent.name if file.name == PEFT_FILE and file.parent.name in _PARTS else ""


def _parts(path: Path) -> list[str]:
    return [part for part in _PARTS if (path / part / PEFT_FILE).is_file()]


def existing_file(path: Path) -> Path:
    """The same, where there is one. Raises AdapterError."""
    file = adapter_file(path)
    if path.is_dir() and not file.is_file():
        if parts := _parts(path):
            names = ", ".join(f"{{from: {path}/{part}}}" for part in parts)
            raise AdapterError(
                f"{path} holds an adapter for each of {' and '.join(parts)}",
                hint=f"name each under adapters: ({names}), and wear them together",
            )
        several = ", ".join(other.name for other in sorted(path.glob("*.safetensors"))[:3])
        neither = (
            f"no adapter: neither {DIFFUSERS_FILE} nor {PEFT_FILE}, nor one other .safetensors"
        )
        raise AdapterError(
            f"{path} holds {f'several adapters: {several}' if several else neither}",
            hint="give the path of one file",
        )
    return file
