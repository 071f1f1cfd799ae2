"""Which layer of which network a tensor's name means: one table of beginnings for all formats."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from lorakit.facts.adapters.authors_names import Piece, pieces_of
from lorakit.facts.adapters.flat_names import dotted
from lorakit.facts.adapters.layers import Network
from lorakit.facts.adapters.sgm import from_sgm, is_sgm
from lorakit.families import FAMILIES
from lorakit.records import record

Format = Literal["kohya", "diffusers", "peft"]
PEFT_PREFIX = "base_model.model."
# how a key begins: the network it is of, the format, whether the path's dots are underscores
_BEGINNINGS: tuple[tuple[str, Network, Format, bool], ...] = (
    ("lora_unet_", "unet", "kohya", True),
    ("lora_te_", "text_encoder", "kohya", True),
    ("lora_te1_", "text_encoder", "kohya", True),
    ("lora_te2_", "text_encoder_2", "kohya", True),
    ("lycoris_", "unet", "kohya", True),  # LyCORIS outside of sd-scripts
    ("unet.", "unet", "diffusers", False),
    ("transformer.", "transformer", "diffusers", False),
    ("text_encoder.", "text_encoder", "diffusers", False),
    ("text_encoder_2.", "text_encoder_2", "diffusers", False),
    (PEFT_PREFIX, "unet", "peft", False),
    # ComfyUI's own
    ("diffusion_model.", "unet", "kohya", False),
    ("text_encoders.clip_l.transformer.", "text_encoder", "kohya", False),
    ("text_encoders.clip_g.transformer.", "text_encoder_2", "kohya", False),
    ("clip_l.transformer.", "text_encoder", "kohya", False),
    ("clip_g.transformer.", "text_encoder_2", "kohya", False),
)
_UNET_ROOTS = ("down_blocks.", "mid_block.", "up_blocks.", "conv_in", "conv_out", "time_embedding.",
               "add_embedding.", "conv_norm_out")  # fmt: skip
_TEXT_ROOTS = (
    "text_model.",
    "encoder.layers.",
    "embeddings.",
    "final_layer_norm",
    "text_projection",
)
# how the layers of transformers that lorakit draws with are called in diffusers
_TRANSFORMER_ROOTS = tuple(
    dict.fromkeys(root for family in FAMILIES.values() for root in family.roots)
)
# how the layers of other models are called, which lorakit does not draw with, or not by these names
_FOREIGN = {
    "double_blocks": "Flux, under its authors' own names",
    "single_blocks": "Flux, under its authors' own names",
    "joint_blocks": "Stable Diffusion 3, under its authors' own names",
    "lora_te3_": "Stable Diffusion 3 or Flux, in kohya's format",
    "lora_transformer_": "a diffusion transformer, in kohya's format",
    "lora_prior_": "Stable Cascade",
    "motion_modules": "AnimateDiff",
    "to_k_ip": "IP-Adapter",
    "controlnet": "ControlNet",
}


@record
class LayerPlace:
    """Where a layer stands; `sgm` is its name in Stability's own code where the file has that.

    Of a layer under the name of a transformer's authors `pieces` are diffusers' in it.
    """

    network: Network
    path: str
    format: Format
    sgm: str = ""
    pieces: tuple[Piece, ...] = ()


def spot_of(name: str) -> LayerPlace | None:
    """The layer that a tensor's name without its end means; None for none of Stable Diffusion's."""
    for beginning, network, written, flat in _BEGINNINGS:
        if name.startswith(beginning):
            rest = name.removeprefix(beginning)
            pieces = pieces_of(rest) if network == "unet" else ()
            if pieces:
                return LayerPlace("transformer", rest, written, pieces=pieces)
            path = dotted(rest.replace(".", "_")) if flat else rest
            return _spot(network, path, written) if path else None
    if name.startswith(_UNET_ROOTS):  # diffusers' first files, of a UNet alone
        return _spot("unet", name, "diffusers")
    return None


def _spot(network: Network, path: str, written: Format) -> LayerPlace | None:
    if written == "peft" and path.startswith(_TEXT_ROOTS):
        network = "text_encoder"
    roots = _TRANSFORMER_ROOTS
    if network == "unet" and path.startswith(roots):
        network = "transformer"
    if network == "transformer":
        return LayerPlace(network, path, written) if path.startswith(roots) else None
    if network != "unet":
        return (
            LayerPlace(network, path_in_clip(path), written)
            if path.startswith(_TEXT_ROOTS)
            else None
        )
    if is_sgm(path):
        # of a UNet with another number of layers a level, whose own place fit.py looks up
        return LayerPlace(network, from_sgm(path) or path, written, path)
    return LayerPlace(network, path, written) if path.startswith(_UNET_ROOTS) else None


def path_in_clip(path: str) -> str:
    """A layer of CLIP by its published name: transformers 5 has no text_model in its own, files keep it."""
    if path.startswith(("text_model.", "text_projection")):
        return path
    return f"text_model.{path}"


def foreign_family(keys: Iterable[str]) -> str:
    """The model that names of layers are of, where it is one that lorakit does not draw with."""
    for key in keys:
        found = next((family for mark, family in _FOREIGN.items() if mark in key), "")
        if found and not key.startswith(
            ("unet.", "lora_unet_mid", "lora_unet_down", "lora_unet_up")
        ):
            return found
    return ""
