"""Checks of scenes among each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorakit.language.yaml import access, names
from lorakit.language.yaml.hidden import hidden_letters

if TYPE_CHECKING:
    from lorakit.language.story.documents import Scene, Storyboard
    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Node


def names_are_unique(_board: Storyboard, root: Node, findings: Findings) -> None:
    """A scene's noise comes from its name, so that two scenes cannot share one."""
    lines: dict[str, int] = {}
    for node in access.items(root, "scenes"):
        own = access.child(node, "name")
        name = access.name(node, "name")
        if own is None or name is None:
            continue
        hidden_letters(name, "name", own, findings)
        if name in lines:
            findings.error(
                "duplicate-scene",
                f"a scene called {name} stands on line {lines[name]} already",
                own,
                "give it a name of its own: a scene's noise comes from its name",
            )
        lines.setdefault(name, own.line)


def _starts(board: Storyboard) -> dict[int, Scene]:
    """By a scene's number, the scene that its chain begins from, where there is one."""
    by_name: dict[str, Scene] = {}
    for scene in board.scenes:
        by_name.setdefault(scene.name, scene)
    starts = {}
    for scene in board.scenes:
        before: Scene | None = None
        if scene.start == "previous-scene" and scene.number > 1:
            before = board.scenes[scene.number - 2]
        elif scene.start.startswith("scene:"):
            before = by_name.get(scene.start.removeprefix("scene:").strip())
        if before is not None:
            starts[scene.number] = before
    return starts


def starts_lead_somewhere(board: Storyboard, root: Node, findings: Findings) -> None:
    """`start: scene:NAME` names a scene of the board; the first scene has none before it."""
    starts = _starts(board)
    for scene, node in zip(board.scenes, access.items(root, "scenes"), strict=True):
        start = access.child(node, "start")
        if start is None:
            continue
        if scene.start == "previous-scene" and scene.number == 1:
            findings.error(
                "unknown-scene", "the first scene has no scene before it", start, "remove it"
            )
        elif scene.start.startswith("scene:") and scene.number not in starts:
            name = scene.start.removeprefix("scene:").strip()
            known = [other.name for other in board.scenes if other is not scene]
            findings.error(
                "unknown-scene",
                f"no scene is called {name}",
                start,
                names.did_you_mean(name, known, "scene:{}") or f"there is {names.listed(known)}"
                if known
                else "",
            )


def starts_do_not_go_round(board: Storyboard, root: Node, findings: Findings) -> None:
    """A ring of scenes that start from each other has no first frame."""
    nodes = access.items(root, "scenes")
    starts = _starts(board)
    settled: set[int] = set()
    for first in board.scenes:
        line: dict[int, Scene] = {}
        scene: Scene | None = first
        while scene is not None and scene.number not in settled and scene.number not in line:
            line[scene.number] = scene
            scene = starts.get(scene.number)
        settled |= line.keys()
        if scene is not None and scene.number in line:
            ring = list(line.values())
            ring = ring[ring.index(scene) :]
            shown = " -> ".join(member.name for member in (*ring, ring[0]))
            start = access.child(nodes[ring[0].number - 1], "start")
            message = f"scenes start from each other in a ring: {shown}"
            if len(ring) == 1:
                message = f"the scene {ring[0].name} starts from itself"
            which = "it" if len(ring) == 1 else "one of them"
            findings.error("scene-cycle", message, start, f"let {which} begin with start: fresh")


def repeats_have_something_to_repeat(board: Storyboard, root: Node, findings: Findings) -> None:
    """`repeat: true` holds the frame before; a fresh scene's first sentence has none."""
    for scene, node in zip(board.scenes, access.items(root, "scenes"), strict=True):
        if scene.start == "fresh" and scene.sentences and scene.sentences[0].repeat:
            item = access.items(node, "sentences")[0]
            findings.error(
                "nothing-to-repeat",
                "the first frame of a scene has none before it to repeat",
                item.key_spot("repeat"),
                "remove it, or begin the scene with start: previous-scene"
                if scene.number > 1
                else "remove it",
            )
