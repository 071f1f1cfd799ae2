"""Checks of the weights that adapters are worn at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorakit.language.story.schedules import schedule
from lorakit.language.yaml import access

if TYPE_CHECKING:
    from lorakit.language.recipe.documents import Recipe
    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Node


def weights_go_on_in_order(_recipe: Recipe, root: Node, findings: Findings) -> None:
    """What changes over a scene's frames is told frame by frame, in their order."""
    for step in access.mapping(root, "steps").values():
        for owner in (step, access.child(step, "of")):
            for node in access.mapping(owner, "adapters").values():
                schedule(node, findings)
