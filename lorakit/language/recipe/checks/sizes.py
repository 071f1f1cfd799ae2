"""Checks of the sizes that steps name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorakit.language.story.checks.sizes import spelled_once
from lorakit.language.yaml import access

if TYPE_CHECKING:
    from lorakit.language.recipe.documents import Recipe
    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Node


def step_sizes_are_spelled_once(_recipe: Recipe, root: Node, findings: Findings) -> None:
    """`aspect` stands instead of `width` and `height`."""
    for node in access.mapping(root, "steps").values():
        spelled_once(node, findings)
