"""Packages that only some trainings need, and the extras that bring them."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping

ROUNDING = "low_memory"  # what weights are rounded with
# an optimizer, a tracker, a way to keep weights -> its module; the extra has its name, with dashes
MODULES: Mapping[str, str] = {
    "adamw_8bit": "bitsandbytes",
    "low_memory": "bitsandbytes",
    "lion": "lion_pytorch",
    "prodigy": "prodigyopt",
    "tensorboard": "tensorboard",
    "wandb": "wandb",
    "mlflow": "mlflow",
}


def absent(name: str) -> str:
    """The module that an optimizer or tracker lacks here; empty where nothing is missing."""
    module = MODULES.get(name, "")
    return module if module and importlib.util.find_spec(module) is None else ""


def install(name: str) -> str:
    """What a user types to have it."""
    return f"pip install 'lorakit[{name.replace('_', '-')}]'"
