"""What a board and a scene say of a frame, with all that changes over the scene's frames."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from lorakit.language.story.schedules import OverFrames, Value, inherited, schedule
from lorakit.language.yaml import access

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lorakit.language.story.controls import Control
    from lorakit.language.story.documents import Chain, ImageSettings
    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Node

# the keys that may, by the block that they stand in
SCHEDULED = (
    ("chain", "strength"),
    ("chain", "anchor_weight"),
    ("look", "guidance_scale"),
    ("look", "style"),
    ("look", "negative_prompt"),
    ("control", "strength"),
)
SETTING = "setting"
_BLOCKS = tuple(dict.fromkeys(block for block, _ in SCHEDULED))


class SceneValues(NamedTuple):
    """What all frames of a scene share, or one of them has."""

    look: ImageSettings
    chain: Chain
    control: Control
    setting: str


class Scheduled:
    """What changes over the frames of one scene."""

    def __init__(self, found: Mapping[tuple[str, str], OverFrames]) -> None:
        self._found = found

    @classmethod
    def of(cls, root: Node, scene: Node, findings: Findings) -> Self:
        """What a scene says, or its board where the scene says nothing."""
        own = {block: [access.child(one, block) for one in (root, scene)] for block in _BLOCKS}
        found = {
            (block, key): over
            for block, key in SCHEDULED
            if (over := inherited(own[block], key, findings)) is not None
        }
        over = schedule(access.child(scene, SETTING), findings)
        return cls(found if over is None else {**found, ("", SETTING): over})

    def __bool__(self) -> bool:
        return bool(self._found)

    def at(self, number: int, drawn: Sequence[int], values: SceneValues) -> SceneValues:
        """The values of a frame; `drawn` are the numbers of those of its scene that are drawn."""
        for (block, key), over in self._found.items():
            values = _with(values, block, key, over.at(number, drawn), over)
        return values


def _with(values: SceneValues, block: str, key: str, value: Value, over: OverFrames) -> SceneValues:
    own: dict[str, Any] = {key: value}
    if block == "look":
        own["places"] = tuple({**dict(values.look.places), key: over.place}.items())
        return values._replace(look=replace(values.look, **own))
    if block == "control":
        own["places"] = tuple({**dict(values.control.places), key: over.place}.items())
        return values._replace(control=replace(values.control, **own))
    if block == "chain":
        place: dict[str, Any] = {"strength_place": over.place} if key == "strength" else {}
        return values._replace(chain=replace(values.chain, **own, **place))
    return values._replace(setting=str(value))


def first_setting(scene: Node) -> str:
    """Where a scene happens, or begins to; empty where it does not say."""
    node = access.child(scene, SETTING)
    over = schedule(node)
    return str(over.pairs[0][1]) if over is not None else access.text(scene, SETTING) or ""
