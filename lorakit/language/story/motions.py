"""How a film moves while a frame is shown, as boards, scenes and sentences say it."""

from __future__ import annotations

from dataclasses import field, replace
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from lorakit.diagnostics import Place
from lorakit.language.yaml import decode
from lorakit.language.yaml.schemas import STORYBOARD, defaults
from lorakit.records import record

if TYPE_CHECKING:
    from lorakit.language.yaml.nodes import Node

_MOTION = defaults(STORYBOARD, "motion")
_SIDES = {"left": 0.0, "top": 0.0, "right": 1.0, "bottom": 1.0}
MotionKind = Literal["none", "kenburns", "interpolate", "morph", "clip"]
Uses = Literal["frame", "both", "words"]


class Focus(NamedTuple):
    """A point of a picture, as shares of its width and height from the top left."""

    x: float
    y: float

    @classmethod
    def of(cls, value: object) -> Focus | None:
        """The point that a word (`top-left`) or a pair of numbers means."""
        if isinstance(value, str):
            words = value.split("-")
            across = next((_SIDES[w] for w in words if w in ("left", "right")), 0.5)
            down = next((_SIDES[w] for w in words if w in ("top", "bottom")), 0.5)
            return cls(across, down)
        pair = _pair(value)
        return cls(*pair) if pair is not None else None

    @classmethod
    def decoded(cls, node: Node) -> Focus | None:
        """The point that a node names."""
        return cls.of(_plain(node))


class Zoom(NamedTuple):
    """How many times as large a picture is shown, at first and at the end."""

    first: float
    last: float

    @classmethod
    def of(cls, value: object) -> Zoom | None:
        """From a pair, or from what it comes to when it begins with the whole picture."""
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return cls(1.0, float(value))
        pair = _pair(value)
        return cls(*pair) if pair is not None else None

    @classmethod
    def decoded(cls, node: Node) -> Zoom | None:
        """The zoom that a node says."""
        return cls.of(_plain(node))


def _plain(node: Node) -> object:
    return [item.value for item in node.value] if isinstance(node.value, list) else node.value


def _pair(value: object) -> tuple[float, float] | None:
    if not isinstance(value, list | tuple) or len(value) != 2:
        return None
    if any(isinstance(one, bool) or not isinstance(one, (int, float)) for one in value):
        return None
    return float(value[0]), float(value[1])


@record
class Motion:
    """What moves: the view over a still picture (`kenburns`), or nothing (`none`).

    `zoom`, `start` and `end` are kenburns': how near the view is, and what it is centred on. `interpolate`
    and `morph` pass to the next frame; morph draws so many `frames` on the way, at a `strength` in (0, 1].
    What follows is a clip's: the name of its `video_model`, what it `uses`, and how it is made to `fit` its
    hold; None or nothing where the model decides.
    """

    kind: MotionKind = _MOTION["kind"]
    zoom: Zoom = Zoom.of(_MOTION["zoom"]) or Zoom(1.0, 1.0)
    start: Focus = field(
        default=Focus.of(_MOTION["from"]) or Focus(0.5, 0.5), metadata={"key": "from"}
    )
    end: Focus = field(default=Focus.of(_MOTION["to"]) or Focus(0.5, 0.5), metadata={"key": "to"})
    frames: int = _MOTION["frames"]
    strength: float = _MOTION["strength"]
    video_model: str = ""
    uses: Uses | None = None
    num_frames: int | None = None
    num_inference_steps: int | None = None
    guidance_scale: float | None = None
    prompt: str = ""
    fit: Literal["slow", "hold", "cut"] = _MOTION["fit"]
    place: Place | None = field(default=None, compare=False, repr=False)
    places: tuple[tuple[str, Place], ...] = field(default=(), compare=False, repr=False)

    @property
    def moves(self) -> bool:
        """Whether anything does."""
        return self.kind != "none"

    @property
    def passes(self) -> bool:
        """Whether it goes to the next frame."""
        return self.kind in ("interpolate", "morph")

    def where(self, *keys: str) -> Place | None:
        """Where the first of some keys stands that was given, here or above; else the nearest motion."""
        given = dict(self.places)
        return next((given[key] for key in keys if key in given), self.place)


STILL = Motion()


def motion(node: Node | None, base: Motion) -> Motion:
    """How a film moves: `base`, changed by what `node` says, a kind alone or a mapping."""
    if node is None:
        return base
    if isinstance(node.value, str):
        kind = next(
            (kind for kind in get_args(MotionKind) if kind == node.value.strip()), base.kind
        )
        return replace(base, kind=kind, place=node.place)
    changes = decode.values_of(Motion, node)
    own = dict(changes.pop("places", ()))
    places = tuple({**dict(base.places), **own}.items())
    return replace(base, **changes, place=node.place, places=places)
