"""How a frame is made larger once it is drawn, as boards, scenes and sentences say it."""

from __future__ import annotations

from dataclasses import field, replace
from typing import TYPE_CHECKING

from lorakit.diagnostics import Place
from lorakit.language.yaml import decode
from lorakit.language.yaml.schemas import STORYBOARD, defaults
from lorakit.records import record

if TYPE_CHECKING:
    from lorakit.language.yaml.nodes import Node

_UPSCALE = defaults(STORYBOARD, "upscale")
LANCZOS, IMG2IMG = "lanczos", "img2img"


@record
class Upscale:
    """How many times as large a frame becomes, and what makes it so.

    `method` is `lanczos`, `img2img`, or the name of one of a recipe's models. `strength` is img2img's; what
    is None the look or the model decides.
    """

    by: float = _UPSCALE["by"]
    method: str = field(default=_UPSCALE["with"], metadata={"key": "with"})
    strength: float = _UPSCALE["strength"]
    num_inference_steps: int | None = None
    guidance_scale: float | None = None
    place: Place | None = field(default=None, compare=False, repr=False)
    places: tuple[tuple[str, Place], ...] = field(default=(), compare=False, repr=False)

    @property
    def model(self) -> str:
        """The model of the recipe that is named; empty where none is."""
        return "" if self.method in (LANCZOS, IMG2IMG) else self.method

    def where(self, *keys: str) -> Place | None:
        """Where the first of some keys stands that was given, here or above; else the nearest upscale."""
        given = dict(self.places)
        return next((given[key] for key in keys if key in given), self.place)

    def size(self, drawn: tuple[int, int]) -> tuple[int, int]:
        """Width and height in px of a frame that is `drawn` so large."""
        width, height = (round(side * self.by) for side in drawn)
        return width, height


def upscale(node: Node | None, base: Upscale | None) -> Upscale | None:
    """How frames are made larger: `base`, changed by what `node` says; None where they are not."""
    if node is None:
        return base
    changes = decode.values_of(Upscale, node)
    above = base or Upscale()
    own = dict(changes.pop("places", ()))
    places = tuple({**dict(above.places), **own}.items())
    return replace(above, **changes, place=node.place, places=places)


def enlarging(told: Upscale | None) -> Upscale | None:
    """What is told where it makes a frame any larger."""
    return told if told is not None and told.by > 1 else None
