"""When frames are shown, as far as a board says it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lorakit.language.recipe.documents import StoryboardStep
from lorakit.language.story.film_moments import moments
from lorakit.session import load


def seconds(tmp_path: Path, video: str, *scenes: list[str]) -> list[list[float | None]]:
    path = tmp_path / "board.yaml"
    told = "".join(
        f"  - name: s{n}\n    sentences:\n" + "".join(f"      - {line}\n" for line in lines)
        for n, lines in enumerate(scenes)
    )
    path.write_text(f"storyboard: 1\n{video}scenes:\n{told}")
    (step,) = load(path).project.recipe.steps.values()
    assert isinstance(step, StoryboardStep)
    found: list[list[float | None]] = [[] for _ in scenes]
    for one in moments(step.board):
        found[one.scene.number - 1].append(None if one.seconds is None else float(one.seconds))
    return found


@pytest.mark.parametrize(
    ("video", "lines", "expected"),
    [
        ("", ["a fox", "an owl", "a fox"], [0, 1.5, 3]),
        ("video: {hold: 2}\n", ["a fox", "an owl", "a fox"], [0, 2, 4]),
        ("video: {fps: 12}\n", ["a fox", "{text: an owl, hold: 6f}", "a fox"], [0, 1.5, 2]),
        ("video: {hold: 1}\n", ["a fox", "{text: an owl, repeat: true}", "a fox"], [0, 1, 2]),
        ("video: {hold: 1}\n", ["a fox", "{text: an owl, at: 5}", "a fox"], [0, 5, 6]),
        # pins count the card before the film, behind which the first frame may be pinned too
        (
            "video: {hold: 1, title: A fox}\n",
            ["a fox", "{text: an owl, at: 5}", "a fox"],
            [0, 2, 3],
        ),
        ("video: {title: A fox}\n", ["{text: a fox, at: 4}", "{text: an owl, at: 5}"], [0, 1]),
        # not before they are spoken, but behind what is held all the same
        ("video: {narration: true}\n", ["a fox", "an owl", "a fox"], [0, None, None]),
        (
            "video: {narration: true}\n",
            ["{text: a fox, hold: 2}", "an owl", "{text: a fox, at: 7}"],
            [0, 2, 7],
        ),
        ("video: {narration: true, hold: 2}\n", ["a fox", "an owl", "a fox"], [0, 2, 4]),
    ],
)
def test_a_frame_is_shown_once_those_before_it_were(
    video: str, lines: list[str], expected: list[float | None], tmp_path: Path
) -> None:
    # what comes before a scene is no matter to it
    first, second = seconds(tmp_path, video, lines, ["a fox", "an owl"])
    assert first == expected
    assert second[0] == 0
