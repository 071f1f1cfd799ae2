"""Sentences that say more than their words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorakit.language.yaml import access

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lorakit.language.story.documents import Scene, Sentence
    from lorakit.language.yaml.nodes import Node


def with_own_keys(scene: Scene, node: Node) -> Iterator[tuple[Sentence, Node]]:
    """The sentences of a scene at a node that are mappings, with these; of a paragraph none is."""
    if access.child(node, "text") is not None:
        return
    for sentence, item in zip(scene.sentences, access.items(node, "sentences"), strict=True):
        if isinstance(item.value, dict):
            yield sentence, item
