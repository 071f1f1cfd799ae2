"""Reading `look:` and `chain:`, each laid over the one it inherits from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from lorakit.language.story import durations
from lorakit.language.story.documents import Captions, Chain, ImageSettings, Transition, Video
from lorakit.language.yaml import access

if TYPE_CHECKING:
    from lorakit.language.story.documents import ChainFrom
    from lorakit.language.yaml.nodes import Node


def image_settings(node: Node | None, base: ImageSettings) -> ImageSettings:
    """How pictures are drawn: `base`, changed by what `node` says.

    Sizes come in one spelling at a time, so naming a size drops an inherited aspect, and the reverse.
    """
    if node is None or not isinstance(node.value, dict):
        return base
    changes: dict[str, Any] = {}
    for key in ("style", "negative_prompt", "scheduler"):
        changes[key] = access.text(node, key)
    for key in ("num_inference_steps", "width", "height", "clip_skip"):
        changes[key] = access.integer(node, key)
    changes["guidance_scale"] = access.number(node, "guidance_scale")
    changes["use_karras_sigmas"] = access.boolean(node, "use_karras_sigmas")
    changes["aspect"] = _aspect(access.text(node, "aspect"))
    changes = {key: value for key, value in changes.items() if value is not None}
    if not changes:
        return base
    if "aspect" in changes:
        changes |= {"width": changes.get("width"), "height": changes.get("height")}
    elif "width" in changes or "height" in changes:
        changes["aspect"] = None
    places = dict(base.places)
    places |= {key: node.value[key].place for key, value in changes.items() if value is not None}
    return replace(base, **changes, places=tuple(places.items()))


def _aspect(text: str | None) -> tuple[int, int] | None:
    width, colon, height = (text or "").partition(":")
    if not colon or not (width.isdecimal() and height.isdecimal()) or len(width + height) > 6:
        return None
    return (int(width), int(height))


def chain(node: Node | None, base: Chain) -> Chain:
    """How frames start from others: `base`, changed by what `node` says."""
    if node is None:
        return base
    start = access.choice(node, "from", ("noise", "previous", "anchor"))
    strength = access.number(node, "strength")
    weight = access.number(node, "anchor_weight")
    at = access.child(node, "strength")
    return Chain(
        start=cast("ChainFrom", start) if start else base.start,
        strength=base.strength if strength is None else strength,
        anchor_weight=base.anchor_weight if weight is None else weight,
        strength_place=base.strength_place if strength is None or at is None else at.place,
    )


def video(node: Node) -> Video:
    """The film that a mapping describes."""
    plain = Video()
    fps = access.integer(node, "fps")
    return Video(
        fps=plain.fps if fps is None else max(1, fps),
        hold=durations.duration(node, "hold") or plain.hold,
        height=access.integer(node, "height"),
        transition=_transition(access.child(node, "transition")),
        captions=_captions(access.child(node, "captions")),
        place=node.place,
    )


def _transition(node: Node | None) -> Transition:
    plain = Transition()
    crossfade = access.choice(node, "kind", ("cut", "crossfade")) == "crossfade"
    return Transition(
        kind="crossfade" if crossfade else "cut",
        seconds=durations.duration(node, "seconds") or plain.seconds,
    )


def _captions(node: Node | None) -> Captions:
    plain = Captions()
    if node is None or node.value is False:
        return plain
    size = access.number(node, "size")
    top = access.choice(node, "position", ("bottom", "top")) == "top"
    return Captions(
        show=True, position="top" if top else "bottom", size=plain.size if size is None else size
    )
