"""Checks of how much a recipe asks for: what nobody could wait for is a slip."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorakit.language.recipe.documents import GenerateStep, StoryboardStep, with_members
from lorakit.language.recipe.sweeps import own_steps
from lorakit.language.yaml import access

if TYPE_CHECKING:
    from lorakit.language.recipe.documents import Recipe, Step
    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Node

MOST_PICTURES = 100_000


def pictures_can_be_waited_for(recipe: Recipe, root: Node, findings: Findings) -> None:
    """All steps together draw no more pictures than a plan can show."""
    total = 0
    steps = own_steps(root)
    owner = access.child(root, "steps")
    for step in with_members(recipe.steps.values()):
        total += _pictures(step)
        if total > MOST_PICTURES:
            name = step.name.partition("/")[0]
            node = steps.get(name)
            many = access.child(node, "images_per_prompt")
            at = many if many is not None else owner.key_spot(name) if owner is not None else None
            findings.error(
                "too-many-pictures",
                f"the recipe draws more than {MOST_PICTURES:,} pictures, with those of {name}",
                at,
                "make several recipes of it, or less of each",
            )
            return


def _pictures(step: Step) -> int:
    if isinstance(step, GenerateStep):
        return len(step.prompts) * step.images_per_prompt
    if isinstance(step, StoryboardStep):
        return sum(len(scene.sentences) for scene in step.board.scenes)
    return 0
