"""Checks of what is written and changes no frame: said, so that nobody waits for what it would do."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from lorakit.language.story.not_drawn import OF_ITS_DRAWING, told_of_no_drawing
from lorakit.language.yaml import access

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lorakit.language.story.documents import ImageSettings, Scene, Sentence, Storyboard
    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Node


class _Frame:
    """A drawn frame of a board: its place among its scene's drawn frames, and its own mapping, if any."""

    __slots__ = ("node", "number", "scene", "scene_node", "sentence")

    def __init__(
        self, scene: Scene, scene_node: Node, number: int, sentence: Sentence, node: Node | None
    ) -> None:
        self.scene = scene
        self.scene_node = scene_node
        self.number = number
        self.sentence = sentence
        self.node = node

    @property
    def chained(self) -> bool:
        """Whether it starts from another frame, at a strength below 1."""
        if self.number == 0:
            return self.scene.start != "fresh"
        return self.scene.chain.start != "noise"

    @property
    def pulled(self) -> bool:
        """Whether it starts from a frame that could be pulled towards the scene's first."""
        return (
            self.number > 1 and self.scene.chain.start == "previous" and self.sentence.strength < 1
        )


_Frames = Callable[[], list[_Frame]]  # made once somebody asks for them


def settings_have_effect(board: Storyboard, root: Node, findings: Findings) -> None:
    """What no frame and no film would differ without is warned of where it is written."""
    if findings:  # what is wrong may be why it has none
        return
    frames = cache(lambda: list(_frames(board, root)))
    items = [
        item for node in access.items(root, "scenes") for item in access.items(node, "sentences")
    ]
    own = {key for item in items if isinstance(item.value, dict) for key in item.value}
    for value, governed in _written(frames, root, "chain", "strength", own, _is_chained):
        _strength(value, governed, findings)
    for key in ("anchor_weight", "color"):
        for value, governed in _written(frames, root, "chain", key, own):
            _pull(key, value, governed, findings)
    for value, governed in _written(frames, root, "chain", "attention", own):
        _attention(value, governed, findings)
    for value, governed in _written(frames, root, "chain", "mask", own):
        _mask(value, governed, board, findings)
    for owner in _owners(root):
        _gate(access.child(owner, "gate"), board, findings)
    for value, governed in _written(frames, root, "look", "negative_prompt", own, _is_guided):
        told_of_no_guidance(value, [frame.sentence.look for frame in governed], findings)
    _seeds(root, frames, findings)
    _controls(board, root, findings)
    for item in items if "repeat" in own else ():
        if access.boolean(item, "repeat"):
            keys = (*OF_ITS_DRAWING, "image", "motion")
            told_of_no_drawing(item, keys, "repeat: true", "holds the frame before", findings)
    cut_takes_no_time(access.child(root, "video"), findings)
    for owner in (*access.items(root, "scenes"), *(items if "transition" in own else ())):
        cut_takes_no_time(owner, findings)


def _frames(board: Storyboard, root: Node) -> Iterator[_Frame]:
    for scene, node in zip(board.scenes, access.items(root, "scenes"), strict=True):
        items = access.items(node, "sentences") if access.child(node, "text") is None else []
        number = 0
        for at, sentence in enumerate(scene.sentences):
            if not sentence.repeat:
                if sentence.image is None:
                    yield _Frame(scene, node, number, sentence, items[at] if items else None)
                number += 1


def _written(
    frames: _Frames,
    root: Node,
    block: str,
    key: str,
    own: set[str],
    acts: Callable[[_Frame], bool] = lambda _: False,
) -> list[tuple[Node, list[_Frame]]]:
    """Each value of a key, on the board, its scenes and sentences, with the frames that it decides for.

    `own` are the keys that any sentence has; sentences' values that do `acts` on their frames are left out.
    """
    values: dict[int, tuple[Node, list[_Frame]]] = {}
    blocks: dict[int, Node] = {}
    for owner in _owners(root):
        inner = access.child(owner, block)
        if inner is not None and (given := access.child(inner, key)) is not None:
            blocks[id(owner)] = given
            values[id(given)] = (given, [])
    if not values and key not in own:
        return []
    acting: set[int] = set()
    for frame in frames():
        value = access.child(frame.node, key) if key in own else None
        if value is not None and acts(frame):
            acting.add(id(value))
            continue
        value = value or blocks.get(id(frame.scene_node)) or blocks.get(id(root))
        if value is not None:
            values.setdefault(id(value), (value, []))[1].append(frame)
    return [found for number, found in values.items() if number not in acting]


def _is_chained(frame: _Frame) -> bool:
    return frame.chained


def _is_guided(frame: _Frame) -> bool:
    scale = frame.sentence.look.guidance_scale
    return scale is None or scale > 1


def _owners(root: Node) -> Iterator[Node]:
    yield root
    yield from access.items(root, "scenes")


def _strength(value: Node, frames: list[_Frame], findings: Findings) -> None:
    """Strength is about a frame that starts from another."""
    if any(frame.chained for frame in frames):
        return
    hint = "remove it"
    if not frames:
        why = "what is below it has its own"
    elif all(frame.scene.chain.start == "noise" for frame in frames):
        why = "each frame is drawn from noise"
        hint = "chain: {from: anchor} or {from: previous} makes frames start from others"
    else:
        why = "the first frame of a fresh scene is drawn from noise"
        hint = "remove it, or begin the scene with start: previous-scene"
    findings.warning("no-effect", f"strength has no effect here: {why}", value, hint)


def _pull(key: str, value: Node, frames: list[_Frame], findings: Findings) -> None:
    """It pulls frames that start from the frame before, from a scene's third frame on."""
    if value.value in (0, "own") or any(frame.pulled for frame in frames):
        return
    starts = {frame.scene.chain.start for frame in frames}
    hint = "remove it"
    if not frames:
        why = "what is below it has its own"
    elif "previous" not in starts:
        why = (
            "each frame is drawn from noise"
            if starts == {"noise"}
            else "frames start from the scene's first frame as it is"
        )
        hint = "chain: {from: previous} makes frames start from the one before"
    elif any(frame.number > 1 and frame.scene.chain.start == "previous" for frame in frames):
        why = "strength: 1 draws each frame without the one before"
        hint = "write a strength below 1, or remove it"
    else:
        why = "it acts from a scene's third frame on"
    findings.warning("no-effect", f"{key} has no effect here: {why}", value, hint)


def _attention(value: Node, frames: list[_Frame], findings: Findings) -> None:
    """It is shared with a scene's first frame, by those behind it."""
    if value.value != "shared" or any(frame.number for frame in frames):
        return
    why = "no scene has a second frame" if frames else "each scene says its own"
    findings.warning("no-effect", f"attention has no effect here: {why}", value, "remove it")


def _mask(value: Node, frames: list[_Frame], board: Storyboard, findings: Findings) -> None:
    """It hides parts of frames and references that attention sees, where these have characters."""
    shown = {who.id for who in board.characters if who.references}

    def sees(frame: _Frame) -> bool:
        who = frame.sentence.characters
        shares = frame.number > 0 and frame.scene.chain.attention == "shared"
        return bool(who) if shares else not shown.isdisjoint(who)

    if value.value != "character" or any(map(sees, frames)):
        return
    hint = "write attention: shared beside it, or give a character a reference:"
    if not any(f.sentence.characters for f in frames):
        hint = "name who is in the frames under characters:, or remove it"
    why = "no attention sees another frame with a character"
    findings.warning("no-effect", f"mask has no effect here: {why}", value, hint)


def _gate(value: Node | None, board: Storyboard, findings: Findings) -> None:
    """It asks something, or is no gate."""
    if value is not None and not any(scene.gate.asks for scene in board.scenes):
        message = "gate has no effect here: it asks nothing of a picture"
        findings.warning("no-effect", message, value, "write character: 0.8 or sentence: 0.7 in it")


def _controls(board: Storyboard, root: Node, findings: Findings) -> None:
    """It holds frames once it says from what."""
    every = [*zip(access.items(root, "scenes"), ([scene] for scene in board.scenes), strict=True)]
    for owner, scenes in [(root, list(board.scenes)), *every]:
        node = access.child(owner, "control")
        held = any(sentence.control for scene in scenes for sentence in scene.sentences)
        if node is not None and not held and access.number(node, "strength") != 0:
            hint = "write from: art/pose.png, or from: previous, here or in its sentences"
            message = "control has no effect here: nothing says from which picture"
            findings.warning("no-effect", message, node, hint)


def told_of_no_guidance(value: Node, looks: list[ImageSettings], findings: Findings) -> None:
    """Warn of a negative prompt whose pictures, drawn by `looks`, all go without guidance."""
    if not looks or not value.value or (isinstance(value.value, str) and not value.value.strip()):
        return
    if all(look.guidance_scale is not None and look.guidance_scale <= 1 for look in looks):
        scale = f"{looks[0].guidance_scale:g}"
        findings.warning(
            "no-effect",
            f"negative_prompt has no effect at guidance_scale: {scale}, which is no guidance",
            value,
            "write a guidance_scale above 1, or remove the negative prompt",
        )


def _seeds(root: Node, frames: _Frames, findings: Findings) -> None:
    """A seed that everything below replaces by its own."""
    if all(access.child(owner, "seed") is None for owner in _owners(root)):
        return
    scenes: dict[int, list[_Frame]] = {}
    for frame in frames():
        scenes.setdefault(frame.scene.number, []).append(frame)
    for own in scenes.values():
        _seed(access.child(own[0].scene_node, "seed"), own, "sentence", findings)
    inherit = [frame for frame in frames() if frame.scene.seed is None]
    if inherit or frames():
        _seed(access.child(root, "seed"), inherit, "scene", findings)


def _seed(value: Node | None, frames: list[_Frame], who: str, findings: Findings) -> None:
    if value is not None and all(frame.sentence.seed is not None for frame in frames):
        message = f"seed has no effect here: each {who} has its own"
        findings.warning("no-effect", message, value, "remove one of the two")


def cut_takes_no_time(video: Node | None, findings: Findings) -> None:
    """Warn of `seconds` of a cut, in the `transition` of a film, a scene or a sentence."""
    node = access.child(video, "transition")
    seconds = access.child(node, "seconds")
    if seconds is not None and access.text(node, "kind") in (None, "cut"):
        findings.warning(
            "no-effect",
            "transition.seconds has no effect on a cut, which takes no time",
            seconds,
            "write kind: crossfade beside it, or remove it",
        )
