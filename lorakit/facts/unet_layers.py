"""The layers of a UNet that an adapter can be put on, read from the weights' header. Without torch."""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

Sizes = Mapping[str, tuple[int, ...]]


def layer_sizes(model: Path | None) -> Sizes:
    """The shapes of weights by their layer's name; empty where they are not in diffusers' layout."""
    found: dict[str, tuple[int, ...]] = {}
    if model is None or not model.is_dir():
        return found
    for file in sorted((model / "unet").glob("*.safetensors")):
        if ".fp16." in file.name:
            continue
        try:
            with file.open("rb") as handle:
                (length,) = struct.unpack("<Q", handle.read(8))
                header = json.loads(handle.read(length))
        except (OSError, ValueError, struct.error):
            return {}
        for name, told in header.items():
            shape = tuple(told.get("shape", ())) if isinstance(told, dict) else ()
            if name.endswith(".weight") and len(shape) in (2, 4):
                found[name.removesuffix(".weight")] = shape
    return found


def trainable(sizes: Sizes, targets: Sequence[str] | str, rank: int) -> int | None:
    """Parameters of a LoRA: rank * (in + out) for a layer (PEFT's rules for names); None if unknown."""
    if not sizes:
        return None
    count = 0
    for name, shape in sizes.items():
        if isinstance(targets, str):
            hit = re.fullmatch(targets, name) is not None
        else:
            hit = any(name == one or name.endswith(f".{one}") for one in targets)
        if hit:
            out, into = shape[0], shape[1] * math.prod(shape[2:])
            count += rank * (into + out)
    return count
