"""Which file of a folder is an adapter, and what its files are called."""

from __future__ import annotations

from pathlib import Path

from lorakit.facts.adapters.errors import AdapterError
from lorakit.facts.adapters.pieces import in_pieces, whole_name

DIFFUSERS_FILE = "pytorch_lora_weights.safetensors"
PEFT_FILE, PEFT_SETTINGS = "adapter_model.safetensors", "adapter_config.json"
_NAMES = (DIFFUSERS_FILE, PEFT_FILE)
# where PEFT's scripts save each network by itself
_PARTS = ("unet", "transformer", "text_encoder", "text_encoder_2")


def trained_file(peft_type: str) -> str:
    """What a trained adapter's weights are called: diffusers has a format for LoRA alone."""
    return DIFFUSERS_FILE if peft_type == "lora" else PEFT_FILE


def part_of(file: Path) -> str:
    """The network that PEFT's file is of by its folder's name; empty where the folder says none."""
    named = whole_name(file) == PEFT_FILE and file.parent.name in _PARTS
    return file.parent.name if named else ""


def parts_of(path: Path) -> list[Path]:
    """The files of a folder in which PEFT's scripts saved each network by itself."""
    found = (_weights(path / part, PEFT_FILE) for part in _PARTS)
    return [file for file in found if file is not None]


def _weights(folder: Path, name: str) -> Path | None:
    """A weights file of that name, or what stands for its pieces."""
    return folder / name if (folder / name).is_file() else in_pieces(folder, name)


def existing_file(path: Path) -> Path:
    """Where an adapter is: the path, or in a folder what diffusers or PEFT call it, or its only file.

    Of weights in pieces it is their index, or the first of them; of networks that PEFT saved one by one it is
    the folder that they are in. Raises AdapterError where there is none.
    """
    if not path.is_dir():
        return path
    named = next((file for name in _NAMES if (file := _weights(path, name))), None)
    others = sorted(path.glob("*.safetensors"))
    parts = parts_of(path)
    if named is None and parts and not others:
        return path if len(parts) > 1 else parts[0]
    only = others[0] if len({whole_name(other) for other in others}) == 1 else None
    file = named or only
    if file is None:
        several = ", ".join(other.name for other in sorted(path.glob("*.safetensors"))[:3])
        neither = (
            f"no adapter: neither {DIFFUSERS_FILE} nor {PEFT_FILE}, nor one other .safetensors"
        )
        raise AdapterError(
            f"{path} holds {f'several adapters: {several}' if several else neither}",
            hint="give the path of one file",
        )
    return file
