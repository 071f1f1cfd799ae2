"""Reading `look:`, `chain:` and `video:`; the first two are laid over what they inherit from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lorakit.language.story.documents import Chain, Font, ImageSettings, Video
from lorakit.language.story.gates import Gate, GateJudge
from lorakit.language.story.sound import SPOKEN, audio, narration
from lorakit.language.yaml import access, decode

if TYPE_CHECKING:
    from lorakit.language.story.controls import Find
    from lorakit.language.yaml.nodes import Node

FONT_FILES = (".ttf", ".otf", ".ttc", ".otc")


def image_settings(node: Node | None, base: ImageSettings) -> ImageSettings:
    """How pictures are drawn: `base`, changed by what `node` says.

    Sizes come in one spelling at a time, so naming a size drops an inherited aspect, and the reverse.
    """
    changes = decode.values_of(ImageSettings, node)
    own = dict(changes.pop("places", ()))
    aspect = _aspect(access.text(node, "aspect"))
    if aspect is not None:
        changes |= {
            "aspect": aspect,
            "width": changes.get("width"),
            "height": changes.get("height"),
        }
    elif "width" in changes or "height" in changes:
        changes["aspect"] = None
    if not changes:
        return base
    places = {**dict(base.places), **{key: own[key] for key in changes if key in own}}
    return replace(base, **changes, places=tuple(places.items()))


def _aspect(text: str | None) -> tuple[int, int] | None:
    width, colon, height = (text or "").partition(":")
    if not colon or not (width.isdecimal() and height.isdecimal()) or len(width + height) > 6:
        return None
    return (int(width), int(height))


def chain(node: Node | None, base: Chain) -> Chain:
    """How frames start from others: `base`, changed by what `node` says."""
    changes = decode.values_of(Chain, node)
    return replace(base, **changes) if changes else base


def gate(node: Node | None, base: Gate) -> Gate:
    """What frames must score: `base`, changed by what `node` says."""
    changes = decode.values_of(Gate, node)
    own = {**dict(base.places), **dict(changes.pop("places", ()))}
    if "judge" in changes:  # each of the two by itself
        named = decode.values_of(GateJudge, access.child(node, "judge"))
        changes["judge"] = replace(base.judge, **named)
    return replace(base, **changes, places=tuple(own.items())) if changes else base


def video(node: Node, find: Find) -> Video:
    """The film that a mapping describes; `find` finds the files that it names."""
    heard = audio(access.child(node, "audio"), find)
    spoken = narration(access.child(node, "narration"))
    hold = access.child(node, "hold")
    by_words = hold.value == SPOKEN if hold is not None else spoken is not None
    own = {"place": node.place, "audio": heard, "narration": spoken, "by_words": by_words}
    return decode.decode(Video, node, **own, font=_font(access.child(node, "font"), find))


def _font(node: Node | None, find: Find) -> Font | None:
    """The font that a text names: a file where it ends as one does, else a family."""
    if node is None or not isinstance(node.value, str) or not node.value.strip():
        return None
    name = node.value.strip()
    if not name.lower().endswith(FONT_FILES):
        return Font(name, None, node.place)
    path = find(node, "font")
    return Font(name, path, node.place) if path is not None else None
