"""Storyboards and recipes for tests, built where only their shape matters."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

SUBJECTS = ("a bunny", "a fox", "an owl", "a robot", "an alien")
VERBS = ("finds a key", "holds a key", "looks at a castle", "meets a fox", "rides a rocket")


def sentences(scene: int, count: int) -> list[str]:
    """Different sentences, the same each time."""
    return [
        " ".join(
            [
                SUBJECTS[(scene + n) % 5],
                VERBS[n % 5],
                "in space" if n % 2 else "on mars",
                str(scene),
            ]
        )
        for n in range(count)
    ]


def scene_text(name: str, lines: Sequence[str]) -> str:
    """One scene in YAML."""
    listed = "".join(f"      - {line}\n" for line in lines)
    return f"  - name: {name}\n    sentences:\n{listed}"


def board_text(
    scenes: Sequence[tuple[str, Sequence[str]]],
    *,
    chain: str = "{from: previous, strength: 0.5}",
    video: str = "{fps: 4, hold: 0.5, height: 64}",
    steps: int = 4,
) -> str:
    """A storyboard in YAML; an empty `video` leaves the film out."""
    head = f"storyboard: 1\nlook: {{num_inference_steps: {steps}}}\nchain: {chain}\n"
    film = f"video: {video}\n" if video else ""
    return head + film + "scenes:\n" + "".join(scene_text(*scene) for scene in scenes)


def write_project(folder: Path, board: str, *, recipe: str = "") -> Path:
    """A recipe with one storyboard step on the model in `tiny/`."""
    (folder / "board.yaml").write_text(board)
    path = folder / "recipe.yaml"
    path.write_text(
        "recipe: 1\nname: test\nseed: 3\nmodels: {tiny: {from: tiny, dtype: fp32}}\n"
        "steps:\n  film: {kind: storyboard, storyboard: board.yaml}\n" + recipe
    )
    return path
