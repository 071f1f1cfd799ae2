"""Reading `prompts:` of a step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorakit.language.recipe.documents import Prompt
from lorakit.language.yaml import access

if TYPE_CHECKING:
    from lorakit.language.yaml.nodes import Node


def prompts(node: Node | None) -> tuple[Prompt, ...]:
    """The prompts of a mapping: texts, or mappings with a text and what is special about it."""
    found = []
    for item in access.items(node, "prompts"):
        if isinstance(item.value, str):
            found.append(Prompt(" ".join(item.value.split()), item.place))
        elif isinstance(item.value, dict):
            text = access.child(item, "text")
            found.append(
                Prompt(
                    " ".join((access.text(item, "text") or "").split()),
                    (text or item).place,
                    negative_prompt=access.text(item, "negative_prompt"),
                    seed=access.integer(item, "seed"),
                )
            )
    return tuple(found)
