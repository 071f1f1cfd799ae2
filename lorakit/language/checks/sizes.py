"""Checks of picture sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorakit.language import access

if TYPE_CHECKING:
    from lorakit.language.documents import Recipe, Storyboard
    from lorakit.language.findings import Findings
    from lorakit.language.nodes import Node


def _spelled_once(node: Node | None, findings: Findings) -> None:
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


def board_sizes_are_spelled_once(_board: Storyboard, root: Node, findings: Findings) -> None:
    """`aspect` stands instead of `width` and `height`, in the board's look and the scenes'."""
    _spelled_once(access.child(root, "look"), findings)
    for node in access.items(root, "scenes"):
        _spelled_once(access.child(node, "look"), findings)


def step_sizes_are_spelled_once(_recipe: Recipe, root: Node, findings: Findings) -> None:
    """The same for steps."""
    for node in access.mapping(root, "steps").values():
        _spelled_once(node, findings)
