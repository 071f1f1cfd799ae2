"""Values of JSON that anybody may have written: of the type that is meant, or what stands for none."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any


def text(told: Mapping[str, Any], key: str) -> str:
    """A text; empty where there is none."""
    value = told.get(key)
    return value if isinstance(value, str) else ""


def number(told: Mapping[str, Any], key: str) -> float:
    """A number that is finite; 0 where there is none."""
    value = told.get(key)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return 0.0
    try:
        found = float(value)
    except OverflowError:
        return 0.0
    return found if math.isfinite(found) else 0.0


def mapping(told: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """A mapping; an empty one where there is none."""
    value = told.get(key)
    return value if isinstance(value, dict) else {}


def texts(told: Mapping[str, Any], key: str) -> Mapping[str, str]:
    """The texts of a mapping."""
    return {k: v for k, v in mapping(told, key).items() if isinstance(v, str)}


def mappings(told: Mapping[str, Any], key: str) -> Sequence[Mapping[str, Any]]:
    """The mappings of a list."""
    value = told.get(key)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
