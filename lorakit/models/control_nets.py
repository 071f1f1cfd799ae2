"""ControlNets, loaded from a folder as they are published."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lorakit.diagnostics import LorakitError
from lorakit.facts.models.control_models import class_named, controlled_by, weights_name
from lorakit.facts.models.model_configs import read_config
from lorakit.families import Family


def load_control_net(path: Path, family: Family, like: Any, device: str) -> Any:
    """The ControlNet of a folder, in the precision of the denoiser `like`. Raises LorakitError."""
    import diffusers

    try:
        _, variant = weights_name({file.name for file in path.iterdir()})
        name = class_named(read_config(path, "config.json"))
        if name not in controlled_by(family):
            raise ValueError(f"it is a {name}")  # noqa: TRY301
        net = getattr(diffusers, name).from_pretrained(
            str(path),
            variant=variant or None,
            use_safetensors=True,
            local_files_only=True,
            dtype=like.dtype,
        )
    except (OSError, ValueError, RuntimeError, LookupError, TypeError) as error:
        raise LorakitError(f"the ControlNet in {path} cannot be loaded: {error}") from error
    return net.eval().requires_grad_(requires_grad=False).to(device)
