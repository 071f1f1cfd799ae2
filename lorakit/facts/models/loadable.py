"""Whether diffusers will load a folder: its scheduler's class, and the sizes of its UNet. Without torch."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from lorakit.facts.models.model_configs import ModelError
from lorakit.facts.networks.unet_shapes import Shapes, shapes_of

_ANEW = "the file is damaged, or of another kind of model: fetch it anew"
_SHOWN = 80  # characters of a name that a message shows


def check_scheduler(name: str, config: Mapping[str, Any]) -> None:
    """Raise ModelError where the scheduler's class is none of diffusers'."""
    kind = str(config.get("_class_name", ""))
    known = _schedulers()
    if known and kind not in known:
        raise ModelError(
            f"the scheduler of {name} is a {kind[:_SHOWN]}, which diffusers does not have"
            if kind
            else f"scheduler/scheduler_config.json of {name} has no _class_name",
            _ANEW,
        )


def check_sizes(name: str, config: Mapping[str, Any], there: Shapes) -> None:
    """Raise ModelError where a UNet's weights, by name, have other sizes than its configuration says."""
    wanted = shapes_of(config)
    other = [key for key in wanted if key in there and tuple(there[key]) != tuple(wanted[key])]
    if other:
        first = other[0]
        raise ModelError(
            f"unet/config.json of {name} is not that of its weights: {first} is "
            f"{_size(there[first])}, and {_size(wanted[first])} by the configuration",
            _ANEW,
        )


def _size(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))


@lru_cache(maxsize=1)
def _schedulers() -> frozenset[str]:
    """The names of diffusers' schedulers, without importing it; none where it cannot be looked into."""
    found = importlib.util.find_spec("diffusers")
    place = (
        Path(found.origin).parent / "schedulers" / "__init__.py" if found and found.origin else None
    )
    try:
        text = place.read_text("utf-8") if place else ""
    except OSError:
        return frozenset()
    return frozenset(re.findall(r'"(\w+)"', text))
