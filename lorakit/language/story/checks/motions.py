"""Checks of `motion:`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorakit.language.story.own_keys import with_own_keys
from lorakit.language.yaml import access

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lorakit.language.story.documents import Sentence, Storyboard
    from lorakit.language.story.motions import Motion
    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Node


def motions_move(board: Storyboard, root: Node, findings: Findings) -> None:
    """What says how a film moves says of what kind, and moves something."""
    if findings:
        return  # what is wrong may be why it has no effect
    for node, below in _written(board, root):
        moving = [one.motion for one in below if one.motion.moves and not one.repeat]
        if not moving and isinstance(node.value, dict) and access.text(node, "kind") != "none":
            findings.warning(
                "no-effect",
                "motion has no effect here: nothing says of what kind",
                node,
                "write kind: kenburns in it",
            )
        passing = [one for one in below if one.motion.passes and not one.repeat]
        if len(passing) == 1 and passing[0] is _last(board):
            findings.warning(
                "no-effect",
                f"{passing[0].motion.kind} has no effect here: no frame comes after it",
                node,
                "remove it, or write motion: kenburns",
            )
        mine = [one for one in moving if one.place == node.place]
        if mine and all(_stands(one) for one in mine):
            findings.warning(
                "no-effect",
                f"kenburns has no effect here: {_why(mine[0])}",
                access.child(node, "zoom") or node,
                "write zoom: 1.2 to come nearer, or zoom: [1.3, 1.3] with to: right to look along",
            )


def _written(board: Storyboard, root: Node) -> Iterator[tuple[Node, list[Sentence]]]:
    """Each motion that is written, with the sentences below it."""
    every = [sentence for scene in board.scenes for sentence in scene.sentences]
    own = access.child(root, "motion")
    if own is not None:
        yield own, every
    for scene, node in zip(board.scenes, access.items(root, "scenes"), strict=True):
        own = access.child(node, "motion")
        if own is not None:
            yield own, list(scene.sentences)
        for sentence, item in with_own_keys(scene, node):
            own = access.child(item, "motion")
            if own is not None:
                yield own, [sentence]


def _last(board: Storyboard) -> Sentence | None:
    """The last sentence that a frame is drawn for."""
    drawn = [one for scene in board.scenes for one in scene.sentences if not one.repeat]
    return drawn[-1] if drawn else None


def _stands(motion: Motion) -> bool:
    """Whether a view stands still."""
    if motion.kind != "kenburns":
        return False
    zoom = motion.zoom
    return zoom.first == zoom.last and (zoom.last == 1 or motion.start == motion.end)


def _why(motion: Motion) -> str:
    if motion.zoom.last == 1 and motion.start != motion.end:
        return "at a zoom of 1 the whole picture is seen, wherever the view is centred"
    return "the view ends as it began"
