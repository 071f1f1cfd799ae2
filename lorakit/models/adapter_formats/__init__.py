"""Adapters in the formats that tools read: one file a format, behind one table.

    kohya      lora_unet_PATH_WITH_UNDERSCORES.lora_down.weight, alpha a tensor beside it; LyCORIS' methods
    diffusers  unet.PATH.lora_A.weight, alpha in the header
    PEFT       base_model.model.PATH.lora_A.weight, alpha in adapter_config.json

All are read by facts/adapters, which knows every spelling; a writer says what its format cannot hold.
"""

from lorakit.facts.adapters.layout import METADATA, PEFT_CONFIG
from lorakit.models.adapter_formats.diffusers import to_diffusers
from lorakit.models.adapter_formats.kohya import BASE, to_kohya
from lorakit.models.adapter_formats.layers import (
    Adapter,
    File,
    Layer,
    lora_layer,
    opened,
    read,
    weights_of,
)
from lorakit.models.adapter_formats.peft import to_peft

__all__ = [
    "BASE",
    "METADATA",
    "PEFT_CONFIG",
    "Adapter",
    "File",
    "Layer",
    "lora_layer",
    "opened",
    "read",
    "to_diffusers",
    "to_kohya",
    "to_peft",
    "weights_of",
]
