"""What frames of one look and one size have in common, settled once for all of them."""

from __future__ import annotations

from typing import NamedTuple

from lorakit.plan.actions import Engine
from lorakit.plan.cost import Cost
from lorakit.plan.memory_modes import MemoryMode


class OfLook(NamedTuple):
    """What a look comes to: px, denoising steps of a frame from noise, and how it is guided.

    With `guided` a step is two passes, one of them told what a picture shall not show.
    """

    width: int
    height: int
    steps: int
    guidance: float
    guided: bool


class DrawnAt(NamedTuple):
    """What frames of one size are drawn with, and what that costs."""

    mode: MemoryMode
    compiled: bool
    vae_tiling: bool
    block_cache: float
    engine: Engine
    cost: Cost
