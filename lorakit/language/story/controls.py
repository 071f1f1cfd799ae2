"""What a ControlNet holds frames to, as boards, scenes and sentences say it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from lorakit.diagnostics import Place
from lorakit.language.yaml import access, decode
from lorakit.language.yaml.schemas import STORYBOARD, defaults
from lorakit.records import record

if TYPE_CHECKING:
    from lorakit.language.yaml.nodes import Node

_CONTROL = defaults(STORYBOARD, "control")
PREVIOUS = "previous"
# endings of the films that are read
FILMS = (".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi", ".ogv", ".mpg", ".mpeg", ".ts")
ControlKind = Literal["canny", "depth", "pose", "scribble"]
# the file that a node's text means, called so; None, with the reason found, where there is none
Find = Callable[["Node", str], Path | None]


@record
class Control:
    """What frames are held to: of the picture `source` names its edges, its depths, or all of it.

    `source` is `previous`, or leads to `file`, a picture or a film; nothing is held where it is empty.
    `controlnet` and `depth_model` are names of a recipe's models. To a union the picture is of the kind
    `control_mode`, where that is None of `kind`'s. `start` and `end` are shares of a frame's steps.
    """

    kind: ControlKind | None = None
    source: str = field(default="", metadata={"key": "from"})
    controlnet: str = ""
    depth_model: str = ""
    control_mode: int | None = None
    strength: float = _CONTROL["strength"]
    start: float = _CONTROL["start"]
    end: float = _CONTROL["end"]
    file: Path | None = None
    places: tuple[tuple[str, Place], ...] = field(default=(), compare=False, repr=False)

    @property
    def holds(self) -> bool:
        """Whether anything is held."""
        return bool(self.source) and self.strength > 0

    @property
    def film(self) -> Path | None:
        """The film whose frame at each frame's time holds it; None where a picture or a frame does."""
        return self.file if self.file is not None and is_film(self.file.name) else None

    def where(self, *keys: str) -> Place | None:
        """Where the first of some keys stands that was given, here or above."""
        given = dict(self.places)
        return next((given[key] for key in keys if key in given), None)


def control(node: Node | None, base: Control, find: Find) -> Control:
    """What frames are held to: `base`, changed by what `node` says."""
    changes = decode.values_of(Control, node)
    own = dict(changes.pop("places", ()))
    link = access.child(node, "from")
    if link is not None and "source" in changes:
        changes["file"] = None if link.value == PREVIOUS else find(link, _what(link))
    if not changes:
        return base
    return replace(base, **changes, places=tuple({**dict(base.places), **own}.items()))


def _what(link: Node) -> str:
    return "film" if is_film(str(link.value)) else "picture"


def is_film(name: str) -> bool:
    """Whether a file is a film, by its ending."""
    return name.lower().endswith(FILMS)
