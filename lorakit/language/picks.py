"""Reading a board's decisions from the file beside it, and holding them against the board."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lorakit.language.story.decisions import Approval, Decisions, FrameName, Pick, file_of
from lorakit.language.yaml import access, names, validation
from lorakit.language.yaml.findings import Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lorakit.language.story.documents import Storyboard
    from lorakit.language.trees import Trees
    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Node, Spot

SCHEMA = "picks.schema.json"


def decided(board: Storyboard, trees: Trees, root: Path, findings: Findings) -> Storyboard:
    """A board with the decisions on its frames; what is wrong with their file is found.

    `root` is the folder that files of the project do not leave.
    """
    path = file_of(board.path)
    if not trees.reader.is_file(path):
        return board
    target = trees.reader.resolve(path)
    if target != path and not target.is_relative_to(root):
        message = f"{path.name} is a link that leaves the project, which is {root.as_posix()}"
        findings.error("outside-root", message, None, "put the file itself beside the board")
        return board
    try:
        tree = trees.tree(path)
    except Unreadable:
        return board
    before = len(findings.all)
    validation.check(tree, SCHEMA, findings, "a picks file")
    if any(one.severity == "error" for one in findings.all[before:]):
        return board
    decisions = Decisions(
        {frame: Pick(*_take(node), spot.place) for frame, node, spot in _entries(tree, "frames")},
        {
            frame: Approval(*_take(node), access.text(node, "key") or "", spot.place)
            for frame, node, spot in _entries(tree, "approved")
        },
    )
    for part in ("frames", "approved"):
        for frame, node, spot in _entries(tree, part):
            _held_against(board, frame, _take(node)[0], spot, part, findings)
    return replace(board, decisions=decisions)


def _entries(root: Node, part: str) -> Iterator[tuple[FrameName, Node, Spot]]:
    owner = access.child(root, part)
    for name, node in access.mapping(root, part).items():
        frame = FrameName.of(name)
        if frame is not None and owner is not None:
            yield frame, node, owner.key_spot(name)


def _take(node: Node) -> tuple[int, str]:
    return access.integer(node, "take") or 1, access.text(node, "picture") or ""


def _held_against(
    board: Storyboard, frame: FrameName, take: int, spot: Spot, part: str, findings: Findings
) -> None:
    """Warn of a decision about a frame, or a take, that the board has not."""
    what = "pick" if part == "frames" else "approval"
    way = "lorakit pick --remove" if part == "frames" else "lorakit approve --release"
    words, _, option = way.rpartition(" ")
    remove = f"remove it: {words} {board.path.name} {frame} {option}"
    trouble = unknown(board, frame)
    if trouble is not None:
        message, hint = trouble
        message = f"{message}, so this {what} decides nothing"
        findings.warning("stale-pick", message, spot, hint, remove)
        return
    most = takes_of(board, frame)
    if part == "frames" and take > most:
        findings.warning(
            "stale-pick",
            f"{frame} has {numbered(most)}, so this pick of take {take} decides nothing",
            spot,
            f"write takes: {take} to draw it",
            remove,
        )


def unknown(board: Storyboard, frame: FrameName) -> tuple[str, str] | None:
    """Why there is no such drawn frame in a board, and a hint; None where there is."""
    scene = next((one for one in board.scenes if one.name == frame.scene), None)
    if scene is None:
        known = [one.name for one in board.scenes]
        near = names.did_you_mean(frame.scene, known, f"{{}}/{frame.number}")
        message = f"{board.path.name} has no scene {frame.scene}"
        return message, near or f"there is {names.listed(known)}"
    count = len(scene.sentences)
    if not 0 < frame.number <= count:
        frames = "1 frame" if count == 1 else f"{count} frames"
        message = f"scene {frame.scene} has {frames}, and no number {frame.number}"
        return message, f"did you mean {frame.scene}/{count if frame.number > count else 1}?"
    at = frame.number
    while at and scene.sentences[at - 1].repeat:
        at -= 1
    if at != frame.number:
        held = (
            f"did you mean {frame.scene}/{at}?" if at else "it is the last frame of another scene"
        )
        return f"{frame} holds the frame before it (repeat: true)", held
    return None


def takes_of(board: Storyboard, frame: FrameName) -> int:
    """How many takes a frame has that is there."""
    scene = next(one for one in board.scenes if one.name == frame.scene)
    return scene.sentences[frame.number - 1].takes


def numbered(takes: int) -> str:
    """So many takes, in words."""
    return "1 take" if takes == 1 else f"{takes} takes"
