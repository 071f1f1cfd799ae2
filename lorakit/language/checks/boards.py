"""Checks of a board's look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorakit.language import access

if TYPE_CHECKING:
    from lorakit.language.documents import Storyboard
    from lorakit.language.findings import Findings
    from lorakit.language.nodes import Node


def look_says_something_once(board: Storyboard, root: Node, findings: Findings) -> None:
    """A style that stands in an anchor or a setting as well would be in the prompt twice."""
    style = board.look.style.strip().casefold()
    if not style:
        return
    for scene, node in zip(board.scenes, access.items(root, "scenes"), strict=True):
        if scene.setting.strip().casefold() == style:
            findings.warning(
                "said-twice", "setting and style are the same words", access.child(node, "setting")
            )
