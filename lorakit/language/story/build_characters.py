"""The characters of a board, from its nodes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from lorakit.language.story.character_adapters import character_adapter, with_trigger
from lorakit.language.story.documents import Character
from lorakit.language.story.references import references
from lorakit.language.story.stand_ins import usual_name
from lorakit.language.yaml import access
from lorakit.language.yaml.schemas import STORYBOARD, defaults

if TYPE_CHECKING:
    from lorakit.language.story.controls import Find
    from lorakit.language.yaml.nodes import Node


_SCALE: float = defaults(STORYBOARD, "character")["reference_scale"]


class Story:
    """All that a board tells, as it stands, once somebody asks for it."""

    def __init__(self, root: Node) -> None:
        self._root = root

    @cached_property
    def text(self) -> str:
        """Each sentence or paragraph on a line of its own."""
        return "\n".join(_texts_of(self._root))


def _texts_of(root: Node) -> Iterator[str]:
    for scene in access.items(root, "scenes"):
        for node in (access.child(scene, "text"), *access.items(scene, "sentences")):
            text = access.child(node, "text") or node
            if text is not None and isinstance(text.value, str):
                yield text.value


def character(key: str, node: Node, root: Node, story: Story, find: Find) -> Character:
    """The character that a mapping describes; `find` finds the files that it names."""
    owner = access.child(root, "characters")
    assert owner is not None
    spaced = key.replace("_", " ")
    anchor, voice = access.child(node, "anchor"), access.child(node, "voice")
    worn = character_adapter(node, find)
    scale = access.child(node, "reference_scale")
    weight = access.number(node, "reference_scale")
    aliases = [
        alias_node.value.strip()
        for alias_node in access.items(node, "aliases")
        if isinstance(alias_node.value, str)
    ]
    return Character(
        id=key,
        anchor=with_trigger(
            access.text(node, "anchor") or spaced, worn.trigger if worn is not None else ""
        ),
        name=access.text(node, "name")
        or usual_name(spaced, access.text(node, "anchor") or "", story.text),
        aliases=tuple(alias for alias in aliases if alias),
        pronouns=access.choice(node, "pronouns", ("he", "she", "it", "they")),
        place=owner.key_spot(key).place,
        references=references(node, find),
        voice=access.text(node, "voice"),
        adapter=worn,
        voice_place=voice.place if voice is not None else None,
        anchor_place=anchor.place if anchor is not None else None,
        reference_scale=_SCALE if weight is None else weight,
        reference_scale_place=scale.place if scale is not None else None,
    )
