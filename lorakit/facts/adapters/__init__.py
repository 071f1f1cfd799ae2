"""Adapters made elsewhere, read without torch: their files, their layers, whether they fit a model.

files       which file of a folder is one           places      how keys begin: format, network, layer
layout      a file's layers, every tensor in one    roles       how keys end: what a tensor is
layers      the methods, and what they are made of  flat_names  kohya's underscores
fit         held against a model's sizes            sgm         Stability's own names of a UNet's layers
values      alphas, and what is not finite          peft_settings  adapter_config.json
pieces      weights cut into several files
"""

from lorakit.facts.adapters.errors import AdapterError
from lorakit.facts.adapters.files import (
    DIFFUSERS_FILE,
    PEFT_FILE,
    PEFT_SETTINGS,
    existing_file,
    trained_file,
)

__all__ = [
    "DIFFUSERS_FILE",
    "PEFT_FILE",
    "PEFT_SETTINGS",
    "AdapterError",
    "existing_file",
    "trained_file",
]
