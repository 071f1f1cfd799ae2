"""Checks of signs that other tools read in prompts, wherever a recipe has words that are drawn or learnt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorakit.language.story.checks.prompt_signs import PLAIN
from lorakit.language.story.prompt_syntax import check
from lorakit.language.yaml import access

if TYPE_CHECKING:
    from lorakit.language.recipe.documents import Recipe
    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Node

_CAPTION = "a picture's own caption is {caption}"


def signs_of_others_are_told(_recipe: Recipe, root: Node, findings: Findings) -> None:
    """What is drawn as words, and was meant as a sign, is warned of where it stands."""
    for data in access.mapping(root, "datasets").values():
        caption = access.child(data, "caption")
        check(caption, findings, braces=False, brackets=_CAPTION, weighed=False)
    for step in access.mapping(root, "steps").values():
        for owner in (step, access.child(step, "samples")):
            for key in ("style", "negative_prompt"):
                check(access.child(owner, key), findings, brackets=PLAIN)
            for item in access.items(owner, "prompts"):
                check(access.child(item, "text") or item, findings, brackets=PLAIN)
                check(access.child(item, "negative_prompt"), findings, brackets=PLAIN)
