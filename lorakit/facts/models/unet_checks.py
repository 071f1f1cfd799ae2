"""What a UNet must be for lorakit to draw with it: of latents, times and words, and not too deep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lorakit.facts.models.model_configs import ModelError
from lorakit.families import FAMILIES, Family

# those whose UNets are looked at closely
UNETS = ", ".join(f.classes[0] for f in FAMILIES.values() if f.denoiser == "unet")
# by how many channels more than latents have a UNet reads
_OTHER_INPUTS = {
    5: "an inpainting model: its UNet reads a mask and a masked picture beside the latents",
    4: "a model that edits pictures, such as InstructPix2Pix: its UNet reads a picture beside the latents",
    1: "a depth model: its UNet reads a map of depths beside the latents",
    3: "an upscaler: its UNet reads a small picture beside the latents",
}
_MOST_BLOCKS = 1000


def check_unet(name: str, family: Family, unet: Mapping[str, Any], latents: int) -> None:
    """Raise ModelError for a UNet that wants more than latents, times and words."""
    read = int(unet["in_channels"])
    if read != latents:
        what = _OTHER_INPUTS.get(read - latents, f"another kind of model: its UNet reads {read}")
        raise ModelError(
            f"{name} is {what} ({read} channels for {latents}); lorakit draws from words",
            "name the text-to-image model that it was made from",
        )
    asked = unet.get("addition_embed_type")
    if asked != ("text_time" if family.pooled else None):
        raise ModelError(f"the UNet of {name} is not one of {UNETS}: it asks for {asked}")
    for key in ("class_embed_type", "encoder_hid_dim_type", "num_class_embeds"):
        if unet.get(key) is not None:
            raise ModelError(f"the UNet of {name} is not one of {UNETS}: it has {key}: {unet[key]}")
    _check_blocks(name, unet)


def _check_blocks(name: str, unet: Mapping[str, Any]) -> None:
    """Lists of a UNet's configuration have an entry for each block."""
    widths = unet.get("block_out_channels")
    if widths is None:
        return
    _check_depth(name, unet, len(widths))
    lists = (
        "down_block_types",
        "up_block_types",
        "layers_per_block",
        "transformer_layers_per_block",
        "attention_head_dim",
        "cross_attention_dim",
    )
    for key in lists:
        value = unet.get(key)
        if isinstance(value, list) and len(value) != len(widths):
            raise ModelError(
                f"unet/config.json of {name} has {len(value)} {key} for {len(widths)} block_out_channels",
                "the file is damaged, or of another kind of model: fetch it anew",
            )


def _check_depth(name: str, unet: Mapping[str, Any], levels: int) -> None:
    """Raise ModelError for more blocks than could be counted in reasonable time."""

    def each(key: str, default: int) -> list[int]:
        told = unet.get(key, default)
        listed = told if isinstance(told, list) else [told] * levels
        return [one if isinstance(one, int) else 1 for one in listed]

    layers, depths = each("layers_per_block", 2), each("transformer_layers_per_block", 1)
    blocks = sum(
        (2 * count + 1) * max(1, depth) for count, depth in zip(layers, depths, strict=False)
    )
    if blocks > _MOST_BLOCKS:
        raise ModelError(
            f"unet/config.json of {name} asks for {blocks:,} blocks, where SDXL has some 70",
            "the file is damaged, or of another kind of model: fetch it anew",
        )
