"""In which order the scenes of a storyboard are laid out: each after the one that it begins from."""

from __future__ import annotations

from collections.abc import Collection

from lorakit.kinds.frames.references import scenes_seen
from lorakit.language.story.documents import Scene, Storyboard


def source_of(board: Storyboard, scene: Scene) -> str | None:
    """The scene whose last frame a scene's chain begins from."""
    if scene.start == "previous-scene":
        at = scene.number - 2
        return board.scenes[at].name if at >= 0 else None
    return scene.start.removeprefix("scene:") if scene.start.startswith("scene:") else None


def in_order(board: Storyboard) -> list[Scene]:
    """The scenes, each after the one it begins from."""
    by_name = {scene.name: scene for scene in board.scenes}
    seen = scenes_seen(board)
    done: dict[str, Scene] = {}
    met: set[str] = set()

    def visit(scene: Scene) -> None:
        before = source_of(board, scene)
        if before is not None and before not in done:
            visit(by_name[before])
        met.add(scene.name)
        for name in seen[scene.name]:
            # two that see each other are drawn in the story's order
            if name in by_name and name not in met and not _begins_behind(board, name, met):
                visit(by_name[name])
        done.setdefault(scene.name, scene)

    for scene in board.scenes:
        if scene.name not in done:
            visit(scene)
    return list(done.values())


def _begins_behind(board: Storyboard, name: str, scenes: Collection[str]) -> bool:
    """Whether a scene's chain goes on from one of others."""
    by_name = {scene.name: scene for scene in board.scenes}
    before: str | None = name
    while before is not None:
        if before in scenes:
            return True
        before = source_of(board, by_name[before])
    return False
