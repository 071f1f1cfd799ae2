"""kohya's format, and LyCORIS' in it: the file that A1111, ComfyUI and sd-scripts read."""

from __future__ import annotations

import json
from collections.abc import Mapping

import torch
from torch import Tensor

from lorakit.diagnostics import LorakitError
from lorakit.facts.adapters.authors_names import family_of
from lorakit.facts.adapters.flat_names import flat
from lorakit.facts.adapters.places import path_in_clip
from lorakit.models.adapter_formats.held import check_held
from lorakit.models.adapter_formats.kohya_blocks import in_blocks
from lorakit.models.adapter_formats.layers import Adapter, File, Layer

BASE = "ss_base_model_version"  # in the header, also of diffusers' files: what it was trained on
_NAMES = {"down": "lora_down.weight", "up": "lora_up.weight", "mid": "lora_mid.weight"}
_METHODS = ("lora", "loha", "lokr", "full", "norm")
_ROLES = ("mid", "up_bias", "diff_b", "dora_scale", "magnitude")
# sd-scripts' word for a base model -> modelspec's
_ARCHITECTURES = {
    "sd_v1": "stable-diffusion-v1",
    "sd_v2": "stable-diffusion-v2-512",
    "sd_v2_v": "stable-diffusion-v2-768-v",
    "sdxl_base_v1-0": "stable-diffusion-xl-v1-base",
    "flux1": "flux-1-dev",
}
_MODULES = {"flux1": "networks.lora_flux"}
_WORD_WIDTHS = {1024: "sd_v2", 2048: "sdxl_base_v1-0"}  # what cross-attention reads


def to_kohya(
    adapter: Adapter,
    name: str = "lorakit",
    base: str = "",
    metadata: Mapping[str, str] | None = None,
) -> File:
    """Tensors, and a header with what those programs want to know; `metadata` is what its file said before.

    `base` is the base model's version in sd-scripts' words; where it is empty, shapes tell.
    Raises LorakitError with what the format cannot hold.
    """
    check_held(adapter, "kohya's", _METHODS, _ROLES)
    version = base or _version(adapter)
    large = version.startswith("sdxl")
    tensors: dict[str, Tensor] = {}
    if any(key.startswith("transformer.") for key in adapter):
        family = family_of(base, (key.partition(".")[2] for key in adapter))
        if family is None:
            raise LorakitError(
                "kohya's format names a transformer's layers as its authors do, and of which model these "
                f"are is not known, or how they call them: {next(iter(adapter))}"
            )
        version = base or family.kohya
        adapter = dict(in_blocks(adapter, family))
    for key, layer in adapter.items():
        stem = layer.stem or _stem(key, large=large)
        tensors |= {f"{stem}.{end}": tensor for end, tensor in _tensors(layer).items()}
    header = _header(adapter, name, version)
    kept = {k: v for k, v in (metadata or {}).items() if k.startswith(("ss_", "modelspec."))}
    return tensors, {**header, **kept, BASE: version}


def _stem(name: str, *, large: bool) -> str:
    network, _, path = name.partition(".")
    first = "lora_te1" if large else "lora_te"
    stems = {"unet": "lora_unet", "text_encoder": first, "text_encoder_2": "lora_te2"}
    if network not in stems:
        return f"lora_unet_{flat(name)}"  # of a transformer, by its authors' names
    if network != "unet":
        path = path_in_clip(path)
    return f"{stems[network]}_{flat(path)}"


def _tensors(layer: Layer) -> dict[str, Tensor]:
    tensors = {_NAMES.get(role, role): tensor for role, tensor in layer.tensors.items()}
    if "magnitude" in tensors:
        rows = layer.tensors["up"].shape[0]
        ones = [1] * (layer.tensors["down"].dim() - 1)
        tensors["dora_scale"] = tensors.pop("magnitude").reshape(rows, *ones)
    if "up_bias" in tensors:
        tensors["diff_b"] = tensors.pop("up_bias").float() * layer.scale
    if layer.method in ("full", "norm"):
        return tensors
    if {"lokr_w1", "lokr_w2"} <= set(tensors) and layer.scale != 1:
        # the format has no scale for two whole matrices
        tensors["lokr_w1"] = (tensors["lokr_w1"].double() * layer.scale).float()
        return {**tensors, "alpha": torch.tensor(1.0)}
    return {**tensors, "alpha": _number(layer.alpha)}


def _number(value: float) -> Tensor:
    """A value as a tensor of fp32, or of fp64 where that would round it."""
    single = torch.tensor(value)
    return single if float(single) == value else torch.tensor(value, dtype=torch.float64)


def _header(adapter: Adapter, name: str, version: str) -> dict[str, str]:
    layers = list(adapter.values())
    lycoris = {layer.method for layer in layers if layer.method != "lora" or "mid" in layer.tensors}
    algo = "locon" if lycoris == {"lora"} else min(lycoris - {"lora"}, default="")
    args = {"ss_network_args": json.dumps({"algo": algo})} if lycoris else {}
    ranks, alphas = {layer.rank for layer in layers}, {layer.alpha for layer in layers}
    first = layers[0]
    return {
        "ss_network_module": "lycoris.kohya" if lycoris else _MODULES.get(version, "networks.lora"),
        **args,
        # sd-scripts' own word where layers differ
        "ss_network_dim": f"{first.rank:g}" if len(ranks) == 1 else "Dynamic",
        "ss_network_alpha": f"{first.alpha:g}" if len(alphas) == 1 else "Dynamic",
        "ss_v2": str(version.startswith("sd_v2")),
        "ss_output_name": name,
        "modelspec.sai_model_spec": "1.0.0",
        "modelspec.architecture": f"{_ARCHITECTURES.get(version, _ARCHITECTURES['sd_v1'])}/lora",
        "modelspec.implementation": "diffusers",
        "modelspec.title": name,
    }


def _version(adapter: Adapter) -> str:
    """The base model's version, as far as the layers' shapes tell."""
    if any(key.startswith("text_encoder_2.") for key in adapter):
        return "sdxl_base_v1-0"
    cross = (v for k, v in adapter.items() if k.endswith(("attn2.to_k", "attn2.to_v")))
    width = next((v.tensors["down"].shape[-1] for v in cross if v.method == "lora"), 768)
    return _WORD_WIDTHS.get(width, "sd_v1")
