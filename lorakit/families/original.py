"""A family's transformer under its authors' names, as checkpoints in one file and GGUF files have it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from lorakit.families.layers import Shapes


class Original(NamedTuple):
    """How a file of a family's transformer is told, and read.

    `marks` are names of tensors that all of them have and none of another family, `config` makes of shapes
    by the authors' names what they tell of the transformer's configuration, and raises LookupError where
    one is missing. `texts` are the parts that read words, by what whole checkpoints call them.
    """

    marks: tuple[str, ...]
    config: Callable[[Shapes], Mapping[str, Any]]
    texts: Mapping[str, str]
    buffers: tuple[str, ...] = ()


def blocks(shapes: Shapes, kind: str) -> int:
    """How many blocks of a kind there are."""
    pattern = re.compile(rf"{re.escape(kind)}\.(\d+)\.")
    return len({found[1] for name in shapes if (found := pattern.match(name))})
