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


def test_words_of_all_kinds_change_by_frame(tmp_path: Path) -> None:
    top = "look: {negative_prompt: [[1, rain], [4, snow]]}"
    scene = "    setting: [[2, at dawn], [5, at (night:1.2)]]\n"
    found = sentences(tmp_path, top, scene)
    assert [one.look.negative_prompt for one in found] == ["rain", "rain", "rain", "snow", "snow"]
    assert [one.prompt for one in found if not one.repeat] == [
        "a fox, at dawn",
        "an owl, at dawn",
        "a robot, at dawn",
        "an alien, at (night:1.2)",
    ]


def test_a_scene_is_called_by_where_it_begins(tmp_path: Path) -> None:
    from lorakit.language.recipe.documents import StoryboardStep
    from lorakit.session import load

    path = tmp_path / "board.yaml"
    path.write_text(
        "storyboard: 1\nscenes:\n  - setting: [[1, in a wood], [2, at night]]\n"
        "    sentences: [a fox, an owl]\n"
    )
    (step,) = load(path).project.recipe.steps.values()
    assert isinstance(step, StoryboardStep)
    assert (step.board.scenes[0].name, step.board.scenes[0].setting) == ("in_a_wood", "in a wood")


def test_how_strongly_frames_are_held_changes(tmp_path: Path) -> None:
    top = (
        "control: {kind: pose, controlnet: lines, from: previous, strength: {first: 0.8, last: 0}}"
    )
    lines = [*LINES[:3], "{text: a robot, control: {end: 0.5}}", "an alien"]
    found = sentences(tmp_path, top, lines=lines)
    held = [one.control.strength if one.control else 0 for one in found]
    assert held == [0.8, 0.6, 0.4, 0.2, 0]
    assert found[3].control.end == 0.5
    assert found[4].control is None  # 0 turns it off
    lines[3] = "{text: a robot, control: {strength: 0.9}}"
    assert sentences(tmp_path, top, lines=lines)[3].control.strength == 0.9
    found = sentences(tmp_path, top, "    control: {strength: [[1, 0.3]]}\n")
    assert {one.control.strength for one in found} == {0.3}


def test_adapters_weigh_what_they_do_at_each_frame(tmp_path: Path) -> None:
    """Of a step and of a character, whose frames alone wear it; each scene by itself."""
    (tmp_path / ".lorakit").mkdir()
    (tmp_path / "recipe.yaml").write_text(
        "recipe: 1\nmodels: {tiny: {from: 'lorakit:studio'}}\n"
        "datasets: {images: {images: 'lorakit:hologram'}}\nsteps:\n"
        "  ink: {kind: train-image, data: images, train: {max_train_steps: 1}}\n"
        "  rabbit: {kind: train-image, data: images, train: {max_train_steps: 2}}\n"
        "  film: {kind: storyboard, storyboard: board.yaml, adapters: {ink: {first: 0.2, last: 0.8}}}\n"
    )
    (tmp_path / "board.yaml").write_text(
        "storyboard: 1\ncharacters:\n"
        "  bunny: {anchor: a bunny, adapter: {from: rabbit, weight: [[2, 0.5], [3, 1]]}}\n"
        "scenes:\n  - sentences: [a fox, The bunny sleeps, a fox, The bunny dances]\n"
        "  - sentences: [a fox, a hat]\n"
    )
    plan = plan_of(tmp_path / "recipe.yaml")
    frames = [one.action for one in plan.actions if one.action.id.startswith("film/scene")]
    frames = [one for one in frames if isinstance(one.task, FrameTask)]
    worn = [tuple(weight for _, weight in one.task.adapters) for one in frames]  # type: ignore[attr-defined]
    assert worn == [(0.2,), (0.4, 0.5), (0.6,), (0.8, 1.0), (0.2,), (0.8,)]
    assert len({one.engine.id for one in frames}) == 5
    assert all(one.engine.spec.changes for one in frames)  # type: ignore[attr-defined]
    assert len({one.engine.spec.bare().to_json().__repr__() for one in frames}) == 1  # type: ignore[attr-defined]
