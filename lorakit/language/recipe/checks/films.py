"""Checks of steps of kind video."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorakit.language.recipe.documents import VideoStep
from lorakit.language.story.checks.films import films_can_be_heard, lasts_a_frame
from lorakit.language.story.checks.formats import film_can_be_written
from lorakit.language.yaml import access

if TYPE_CHECKING:
    from lorakit.language.recipe.documents import Recipe
    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Node


def step_holds_last_a_frame(recipe: Recipe, root: Node, findings: Findings) -> None:
    """Every picture is in the film for a frame at least."""
    for name, node in access.mapping(root, "steps").items():
        step = recipe.steps.get(name)
        own = access.child(node, "hold")
        if isinstance(step, VideoStep) and own is not None:
            lasts_a_frame(step.video.hold, step.video.fps, own, findings)


def steps_can_be_heard(recipe: Recipe, root: Node, findings: Findings) -> None:
    """A step's film with music is of a format that has sound."""
    for name, node in access.mapping(root, "steps").items():
        step = recipe.steps.get(name)
        if isinstance(step, VideoStep):
            films_can_be_heard(step.video, node, findings)


def films_can_be_written(recipe: Recipe, root: Node, findings: Findings) -> None:
    """Formats and rates of the films that join steps."""
    for name, node in access.mapping(root, "steps").items():
        step = recipe.steps.get(name)
        if isinstance(step, VideoStep):
            film_can_be_written(step.video, node, findings)
