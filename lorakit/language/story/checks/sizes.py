"""Checks of picture sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorakit.language.yaml import access

if TYPE_CHECKING:
    from lorakit.language.story.documents import Storyboard
    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Node


def spelled_once(node: Node | None, findings: Findings) -> None:
    """A size is an aspect, or a width and height."""
    if node is None or access.child(node, "aspect") is None:
        return
    other = next((key for key in ("width", "height") if access.child(node, key) is not None), None)
    if other:
        findings.error(
            "both-given",
            f"aspect and {other} cannot stand side by side",
            node.key_spot("aspect"),
            "keep aspect, which fits every model, or width and height in px",
        )


def sizes_are_spelled_once(_board: Storyboard, root: Node, findings: Findings) -> None:
    """`aspect` stands instead of `width` and `height`, in the board's look and the scenes'."""
    spelled_once(access.child(root, "look"), findings)
    for node in access.items(root, "scenes"):
        spelled_once(access.child(node, "look"), findings)
