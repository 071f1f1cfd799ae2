"""Values over a scene's frames: what each sentence comes to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lorakit.language.story.documents import Sentence
from lorakit.plan.tasks.frame import FrameTask
from tests.support.planning import plan_of

LINES = ["a fox", "an owl", "{text: a fox, repeat: true}", "a robot", "an alien"]


def sentences(tmp_path: Path, top: str, scene: str = "", lines: list[str] = LINES) -> Any:
    from lorakit.language.recipe.documents import StoryboardStep
    from lorakit.session import load

    path = tmp_path / "board.yaml"
    told = "".join(f"      - {line}\n" for line in lines)
    path.write_text(
        f"storyboard: 1\n{top}\nscenes:\n  - name: meadow\n{scene}    sentences:\n{told}"
    )
    (step,) = load(path).project.recipe.steps.values()
    assert isinstance(step, StoryboardStep)
    found: tuple[Sentence, ...] = step.board.scenes[0].sentences
    return found


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("{first: 0.8, last: 0.4}", [0.8, 0.7, 0.6, 0.5, 0.4]),
        ("[[2, 0.3], [4, 0.5]]", [0.3, 0.3, 0.4, 0.5, 0.5]),
        ("[[1, 0.3], [2, 0.6], [5, 0.3]]", [0.3, 0.6, 0.5, 0.4, 0.3]),
        ("[[9, 0.3]]", [0.3] * 5),
        ("0.3", [0.3] * 5),
    ],
)
def test_numbers_go_evenly_from_frame_to_frame(
    written: str, expected: list[float], tmp_path: Path
) -> None:
    for key in ("strength", "anchor_weight"):
        found = sentences(tmp_path, f"chain: {{from: previous, {key}: {written}}}")
        assert [getattr(one, key) for one in found] == expected
    found = sentences(tmp_path, f"look: {{guidance_scale: {written}}}")
    assert [one.look.guidance_scale for one in found] == expected


def test_they_go_from_the_first_frame_that_is_drawn_to_the_last(tmp_path: Path) -> None:
    lines = ["a fox", "an owl", "a robot", "{text: a robot, repeat: true}"]
    found = sentences(
        tmp_path, "chain: {from: previous, strength: {first: 0.8, last: 0.4}}", lines=lines
    )
    assert [one.strength for one in found][:3] == [0.8, 0.6, 0.4]


def test_words_hold_from_a_frame_on(tmp_path: Path) -> None:
    found = sentences(tmp_path, "look: {style: [[2, sketch], [4, oil]]}")
    assert [one.prompt for one in found if not one.repeat] == [
        "sketch, a fox",
        "sketch, an owl",
        "oil, a robot",
        "oil, an alien",
    ]


def test_what_is_nearer_to_a_frame_stands(tmp_path: Path) -> None:
    top = "chain: {from: previous, strength: {first: 0.8, last: 0.4}}"
    lines = [*LINES[:4], "{text: an alien, strength: 0.9}"]
    assert sentences(tmp_path, top, lines=lines)[4].strength == 0.9
    found = sentences(tmp_path, top, scene="    chain: {strength: 0.5}\n")
    assert {one.strength for one in found} == {0.5}


def test_a_sentence_put_in_redraws_what_its_values_move(tmp_path: Path) -> None:
    """Keys are of values, so that a schedule costs nothing where it comes to the same."""

    def strengths(lines: list[str]) -> list[float]:
        path = tmp_path / "board.yaml"
        told = "".join(f"      - {line}\n" for line in lines)
        chain = "{from: anchor, strength: [[2, 0.6], [4, 0.4]]}"
        path.write_text(f"storyboard: 1\nchain: {chain}\nscenes:\n  - sentences:\n{told}")
        tasks = [planned.action.task for planned in plan_of(path).actions]
        return [task.strength for task in tasks if isinstance(task, FrameTask)]

    assert strengths(["a fox", "an owl", "a robot", "an alien"]) == [1.0, 0.6, 0.5, 0.4]
    assert strengths(["a fox", "an owl", "a robot", "an owl", "an alien"])[:4] == [1, 0.6, 0.5, 0.4]
