"""Where the models and adapters that another tool names are here."""

from __future__ import annotations

import re
from pathlib import Path

# what checkpoints are called that everybody has -> where the hub has them in parts
_HUB = {
    "v1-5-pruned-emaonly": "stable-diffusion-v1-5/stable-diffusion-v1-5",
    "v1-5-pruned": "stable-diffusion-v1-5/stable-diffusion-v1-5",
    "sd-v1-4": "CompVis/stable-diffusion-v1-4",
    "v2-1_512-ema-pruned": "stabilityai/stable-diffusion-2-1-base",
    "v2-1_768-ema-pruned": "stabilityai/stable-diffusion-2-1",
    "sd_xl_base_1.0": "stabilityai/stable-diffusion-xl-base-1.0",
    "sd_xl_base_1.0_0.9vae": "stabilityai/stable-diffusion-xl-base-1.0",
}
_MODELS = ("", "models", "checkpoints", "models/checkpoints")
_LORAS = ("", "loras", "adapters", "models/loras")


def model(name: str, folder: Path) -> str | None:
    """What `from:` says of a checkpoint: a file below `folder`, or a model of the hub; None for neither."""
    file = _file(name, folder, _MODELS)
    if file is not None:
        return file
    hub = _HUB.get(re.sub(r"[-_.]fp16$", "", _stem(name)))
    return f"hub:{hub}" if hub else None


def lora(name: str, folder: Path) -> str | None:
    """The path of an adapter below `folder`, from there; None where it is not."""
    return _file(name, folder, _LORAS)


def short(name: str) -> str:
    """What a step may call an adapter or a model of another tool's."""
    plain = re.sub(r"[^a-z0-9]+", "_", _stem(name).casefold()).strip("_")[:60]
    return plain if plain[:1].isalpha() else f"file_{plain}".rstrip("_")


def _stem(name: str) -> str:
    base = re.split(r"[/\\]", name)[-1]
    return re.sub(r"\.(safetensors|ckpt|pt|sft|bin)$", "", base, flags=re.IGNORECASE)


def _file(name: str, folder: Path, below: tuple[str, ...]) -> str | None:
    base = f"{_stem(name)}.safetensors"
    if base.startswith(".") or not base.isprintable() or len(base) > 200:
        return None
    for one in below:
        if (folder / one / base).is_file():
            return (Path(one) / base).as_posix()
    return None
