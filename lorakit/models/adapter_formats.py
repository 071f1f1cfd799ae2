"""LoRA adapters in the three formats that tools read: diffusers', PEFT's and kohya's.

    diffusers  unet.PATH.lora_A.weight (or .lora.down.weight), alpha in the header
    PEFT       base_model.model.PATH.lora_A.weight, alpha in adapter_config.json
    kohya      lora_unet_PATH_WITH_UNDERSCORES.lora_down.weight, alpha a tensor beside it

Every layer acts as alpha / rank * up(down(x)); rank-stabilised adapters are folded into their alpha.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lorakit.diagnostics import LorakitError
from lorakit.facts.adapters import PEFT_SETTINGS, check_pictures

METADATA = "lora_adapter_metadata"
PEFT_CONFIG = "peft_config"  # in the header: a PEFT adapter's settings, where the file stands alone
BASE = "ss_base_model_version"  # in the header, also of diffusers' files: what it was trained on
_DOWN = (
    ".lora_A.weight",
    ".lora.down.weight",
    ".lora_down.weight",
    ".lora_linear_layer.down.weight",
)
_UP = (".lora_B.weight", ".lora.up.weight", ".lora_up.weight", ".lora_linear_layer.up.weight")
_MAGNITUDE = ".lora_magnitude_vector"
_PARTS = ("unet", "text_encoder", "text_encoder_2")


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer's matrices: `down` (rank, in, ...), `up` (out, rank, ...); DoRA's `magnitude` (out,)."""

    down: Tensor
    up: Tensor
    alpha: float
    magnitude: Tensor | None = None

    @property
    def rank(self) -> int:
        """The width between the two."""
        return int(self.down.shape[0])


Adapter = Mapping[str, Layer]  # `unet.PATH`, `text_encoder.PATH`, `text_encoder_2.PATH`
File = tuple[dict[str, Tensor], dict[str, str]]  # tensors and header of a safetensors file


def read(path: Path) -> Adapter:
    """An adapter in any of the formats. Raises LorakitError where it is none, OSError."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="pt") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            header = dict(file.metadata() or {})
    except SafetensorError as error:
        raise LorakitError(f"{path} is not a safetensors file: {error}") from error
    check_pictures(path, tensors)
    if any(key.startswith("lora_") for key in tensors):
        return _from_kohya(tensors, path)
    if any(key.startswith("base_model.model.") for key in tensors):
        settings = peft_settings(path, header)
        if settings.get("peft_type", "LORA") != "LORA":
            raise LorakitError(
                f"{path} is a {settings['peft_type']}, and only a LoRA can be rewritten"
            )
        renamed = {f"unet.{k.removeprefix('base_model.model.')}": v for k, v in tensors.items()}
        return _paired(renamed, {f"unet.{k}": v for k, v in settings.items()}, path)
    return _paired(tensors, json.loads(header.get(METADATA, "{}")), path)


def header_of(path: Path) -> Mapping[str, str]:
    """The header's strings. Raises LorakitError where it is no safetensors file, OSError."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="pt") as file:
            return {**(file.metadata() or {}), "": next(iter(file.keys()), "")}
    except SafetensorError as error:
        raise LorakitError(f"{path} is not a safetensors file: {error}") from error


def peft_settings(path: Path, header: Mapping[str, str]) -> Mapping[str, Any]:
    """What PEFT's adapter_config.json says, from the header or from beside the file. Raises LorakitError."""
    try:
        told = header.get(PEFT_CONFIG)
        text = told or (path.parent / PEFT_SETTINGS).read_text("utf-8")
        found: Mapping[str, Any] = json.loads(text)
    except (OSError, ValueError) as error:
        message = f"{path} is PEFT's, and the {PEFT_SETTINGS} beside it cannot be read"
        raise LorakitError(message) from error
    return found


def _paired(tensors: Mapping[str, Tensor], told: Mapping[str, Any], path: Path) -> Adapter:
    found: dict[str, Layer] = {}
    for key, down in tensors.items():
        end = next((end for end in _DOWN if key.endswith(end)), None)
        if end is None:
            continue
        name = key.removesuffix(end)
        up = tensors.get(name + _UP[_DOWN.index(end)])
        if up is None:
            raise LorakitError(f"{path}: {key} has no second matrix beside it")
        part, _, inner = name.partition(".")
        alpha, rank = float(told.get(f"{part}.lora_alpha", down.shape[0])), down.shape[0]
        for pattern, value in (told.get(f"{part}.alpha_pattern") or {}).items():
            if inner == pattern or inner.endswith(f".{pattern}"):
                alpha = float(value)
        if told.get(f"{part}.use_rslora"):
            alpha *= math.sqrt(rank)
        found[name] = Layer(down, up, alpha, tensors.get(name + _MAGNITUDE))
    if not found:
        raise LorakitError(f"{path} holds no LoRA that lorakit knows")
    return found


def _from_kohya(tensors: Mapping[str, Tensor], path: Path) -> Adapter:
    """Kohya's names have lost their dots; diffusers' own table brings them back."""
    from diffusers.loaders.lora_conversion_utils import _convert_non_diffusers_lora_to_diffusers

    alphas = {
        k.removesuffix(".alpha"): float(v) for k, v in tensors.items() if k.endswith(".alpha")
    }
    try:
        renamed, _ = _convert_non_diffusers_lora_to_diffusers(dict(tensors))
    except (ValueError, KeyError) as error:
        raise LorakitError(f"{path} holds no LoRA that lorakit knows: {error}") from error
    found = _paired({_modern(key): tensor for key, tensor in renamed.items()}, {}, path)
    return {
        name: Layer(layer.down, layer.up, alphas.get(_kohya(name), layer.rank), layer.magnitude)
        for name, layer in found.items()
    }


def _modern(key: str) -> str:
    """Names as modules have them: diffusers' table ends at those of its own first version."""
    match = re.search(r"(?:\.processor)?\.to_(q|k|v|out)_lora(\..*)", key)
    if match is None:
        return key
    if key.startswith("unet."):
        layer = "to_out.0" if match[1] == "out" else f"to_{match[1]}"
    else:
        layer = f"{match[1]}_proj"
    return f"{key[: match.start()]}.{layer}.lora{match[2]}"


def _kohya(name: str, *, large: bool = False) -> str:
    part, _, path = name.partition(".")
    if part != "unet" and not path.startswith("text_model."):
        path = f"text_model.{path}"  # transformers 5 lost it; every reader of the format has it
    first = "lora_te1" if large else "lora_te"
    stem = {"unet": "lora_unet", "text_encoder": first, "text_encoder_2": "lora_te2"}[part]
    return f"{stem}_{path.replace('.', '_')}"


def to_diffusers(adapter: Adapter) -> File:
    """`pytorch_lora_weights.safetensors`; alpha in the header, or it would load as the rank."""
    tensors: dict[str, Tensor] = {}
    told: dict[str, object] = {}
    for name, layer in adapter.items():
        tensors[f"{name}.lora_A.weight"], tensors[f"{name}.lora_B.weight"] = layer.down, layer.up
        if layer.magnitude is not None:
            tensors[name + _MAGNITUDE] = layer.magnitude
    for part in _PARTS:
        inside = {
            n.removeprefix(f"{part}."): v for n, v in adapter.items() if n.startswith(f"{part}.")
        }
        told |= {f"{part}.{key}": value for key, value in peft_config(inside).items()}
    return tensors, {"format": "pt", METADATA: json.dumps(told, sort_keys=True)}


def peft_config(layers: Mapping[str, Layer]) -> dict[str, object]:
    """A LoraConfig's arguments for layers by their path inside one network; empty for none."""
    if not layers:
        return {}
    # endings of names: transformers 5 has no text_model in its own, and files keep it
    short = {name.removeprefix("text_model."): layer for name, layer in layers.items()}
    first = next(iter(short.values()))
    return {
        "r": first.rank,
        "lora_alpha": first.alpha,
        "target_modules": sorted(short),
        "rank_pattern": {n: v.rank for n, v in short.items() if v.rank != first.rank},
        "alpha_pattern": {n: v.alpha for n, v in short.items() if v.alpha != first.alpha},
        "use_dora": first.magnitude is not None,
    }


def to_peft(adapter: Adapter) -> tuple[File, dict[str, object]]:
    """`adapter_model.safetensors` and `adapter_config.json` of the UNet's adapter.

    Raises LorakitError where it has text encoders as well: PEFT's folders hold one network.
    """
    if any(not name.startswith("unet.") for name in adapter):
        raise LorakitError(
            "PEFT's format holds one network, and this adapter has text encoders too"
        )
    layers = {name.removeprefix("unet."): layer for name, layer in adapter.items()}
    tensors: dict[str, Tensor] = {}
    for name, layer in layers.items():
        stem = f"base_model.model.{name}"
        tensors[f"{stem}.lora_A.weight"], tensors[f"{stem}.lora_B.weight"] = layer.down, layer.up
        if layer.magnitude is not None:
            tensors[stem + _MAGNITUDE] = layer.magnitude
    settings = {"peft_type": "LORA", **peft_config(layers)}
    return (tensors, {"format": "pt", PEFT_CONFIG: json.dumps(settings, sort_keys=True)}), settings


def to_kohya(adapter: Adapter, name: str = "lorakit", base: str = "") -> File:
    """The file that A1111, ComfyUI and sd-scripts read, with what they want to know in its header.

    `base` is the base model's version in sd-scripts' words; where it is empty, shapes tell.
    Raises LorakitError for DoRA, which they spell in ways that differ.
    """
    if any(layer.magnitude is not None for layer in adapter.values()):
        raise LorakitError(
            "a DoRA cannot be written in kohya's format; diffusers' and PEFT's hold it"
        )
    version = base or _version(adapter)
    large = version.startswith("sdxl")
    tensors: dict[str, Tensor] = {}
    for key, layer in adapter.items():
        stem = _kohya(key, large=large)
        tensors[f"{stem}.lora_down.weight"] = layer.down
        tensors[f"{stem}.lora_up.weight"] = layer.up
        tensors[f"{stem}.alpha"] = torch.tensor(layer.alpha)
    first = next(iter(adapter.values()))
    return tensors, {
        "ss_network_module": "networks.lora",
        "ss_network_dim": str(first.rank),
        "ss_network_alpha": f"{first.alpha:g}",
        BASE: version,
        "ss_v2": str(version.startswith("sd_v2")),
        "ss_output_name": name,
        "modelspec.sai_model_spec": "1.0.0",
        "modelspec.architecture": f"{_ARCHITECTURES.get(version, _ARCHITECTURES['sd_v1'])}/lora",
        "modelspec.implementation": "diffusers",
        "modelspec.title": name,
    }


# sd-scripts' word for a base model -> modelspec's
_ARCHITECTURES = {
    "sd_v1": "stable-diffusion-v1",
    "sd_v2": "stable-diffusion-v2-512",
    "sd_v2_v": "stable-diffusion-v2-768-v",
    "sdxl_base_v1-0": "stable-diffusion-xl-v1-base",
}
_WORD_WIDTHS = {1024: "sd_v2", 2048: "sdxl_base_v1-0"}  # what cross-attention reads


def _version(adapter: Adapter) -> str:
    """The base model's version, as far as the layers' shapes tell."""
    if any(key.startswith("text_encoder_2.") for key in adapter):
        return "sdxl_base_v1-0"
    cross = (v for k, v in adapter.items() if k.endswith(("attn2.to_k", "attn2.to_v")))
    width = next((layer.down.shape[-1] for layer in cross), 768)
    return _WORD_WIDTHS.get(width, "sd_v1")
