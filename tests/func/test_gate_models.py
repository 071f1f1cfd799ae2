"""Gates that models of the recipe judge: CLIP the sentence, DINOv2 the character."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.support.runs import lorakit, run
from tests.support.tiny_controls import draw_shape, save_clip, save_control_net, save_dino

RECIPE = """recipe: 1
seed: 5
models:
  m: {from: model, dtype: fp32}
  dino: {from: dino}
  clip: {from: clip}
steps:
  film: {kind: storyboard, storyboard: board.yaml, model: m}
"""
BOARD = """storyboard: 1
look: {num_inference_steps: 2}
chain: {from: noise}
gate: GATE
characters:
  fox: {anchor: a fox}
  bunny: {anchor: a white bunny, reference: art/bunny.png}
scenes:
  - name: meadow
    sentences:
      - The fox meets the bunny
      - The fox holds a hat
"""
JUDGE = "judge: {character: dino, sentence: clip}"


def a_project(home: Path, model: Path) -> Path:
    shutil.copytree(model, home / "model")
    save_dino(home / "dino")
    save_clip(home / "clip")
    draw_shape(home / "art" / "bunny.png")
    (home / "recipe.yaml").write_text(RECIPE)
    return home


def gate(project: Path, text: str) -> None:
    (project / "board.yaml").write_text(BOARD.replace("GATE", text))


@pytest.mark.slow
def test_frames_are_rolled_until_models_let_them_pass(tiny_sd: Path, home: Path) -> None:
    project = a_project(home, tiny_sd)
    gate(project, f"{{{JUDGE}, character: 1.0, sentence: 1.0, tries: 2}}")  # which none reaches
    first = run(project, "recipe.yaml")
    assert first.code == 0, first.events
    frames = ["film/meadow/1", "film/meadow/1/take_2", "film/meadow/2", "film/meadow/2/take_2"]
    assert sorted(first.made("frame")) == frames
    assert first.calls["judge"] == 4
    folder = first.folder / "film" / "frames_scene_1"
    for number in (1, 2):
        choice = json.loads((folder / f"frame_00{number}_choice.json").read_text())
        # the first frame is held against the bunny's reference, the second against the fox's first frame
        lacks = [max(1 - s["character"], 1 - s["sentence"]) for s in choice["scores"]]
        assert len(set(lacks)) == 2
        assert choice["take"] == lacks.index(min(lacks)) + 1
    gate(project, f"{{{JUDGE}, sentence: 0.999, character: 0.0, tries: 2}}")
    moved = run(project, "recipe.yaml")
    assert moved.made("frame") == moved.made("score") == []
    # another judge of sentences scores all tries anew, and draws nothing
    save_clip(project / "clip", seed=1)
    other = run(project, "recipe.yaml")
    assert len(other.made("score")) == 4
    # a changed reference is looked at where it counts, in the frame that its bunny is in
    draw_shape(project / "art/bunny.png", at=40)
    again = run(project, "recipe.yaml")
    assert {name[:13] for name in again.made("score")} == {"film/meadow/1", "film/meadow/2"}


def test_gates_that_cannot_be_are_told_at_their_places(tiny_sd: Path, home: Path) -> None:
    project = a_project(home, tiny_sd)
    save_control_net(tiny_sd, home / "lines")

    def told(text: str) -> str:
        gate(project, text)
        return lorakit(project, "validate", "recipe.yaml").stderr

    words = told("{sentence: 0.3}")
    assert "board.yaml:4:18: error[gate]: a gate asks lorakit:studio-judge" in words
    assert "name models that score: judge: {character: dino, sentence: clip}" in words
    words = told("{sentence: 0.3, judge: {character: dino}}")
    assert (
        "board.yaml:4:18: error[gate]: gate asks sentence: 0.3, and its judge: names no model"
        in words
    )
    words = told("{sentence: 0.3, judge: {sentence: klip}}")
    assert "board.yaml:4:41: error[unknown-model]: the recipe has no model klip" in words
    assert "did you mean clip?" in words
    words = told("{sentence: 0.3, judge: {sentence: dino}}")
    assert "board.yaml:4:41: error[gate]: " in words
    assert "is a Dinov2Model, which gives no embeds of pictures and of words" in words
    assert told("{drift: 20, tries: 2}") == ""  # which needs no judge
