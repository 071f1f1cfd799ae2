"""A gate rolls frames again by the studio's own judge, and a moved floor draws nothing that is there."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.runs import run

BOARD = """storyboard: 1
seed: 3
look: {num_inference_steps: 3}
chain: {from: noise}
gate: GATE
scenes:
  - name: one
    setting: in a green meadow
    sentences: [A fox finds a golden key, A fox rides a bicycle]
"""


def told(home: Path, gate: str) -> Path:
    path = home / "board.yaml"
    path.write_text(BOARD.replace("GATE", gate))
    return path


def test_story_complaint_16_a_frame_below_its_gate_is_drawn_again_and_the_best_is_kept(
    home: Path,
) -> None:
    told(home, "{character: 1.0, sentence: 1.0, tries: 2}")  # which no picture reaches
    first = run(home, "board.yaml")
    assert first.code == 0, first.errors
    takes = ["film/one/1", "film/one/1/take_2", "film/one/2", "film/one/2/take_2"]
    assert sorted(first.made("frame")) == takes
    for number in (1, 2):
        folder = first.folder / "film" / "frames_scene_1"
        choice = json.loads((folder / f"frame_00{number}_choice.json").read_text())
        lacks = [max(1 - s["character"], 1 - s["sentence"]) for s in choice["scores"]]
        assert choice["take"] == lacks.index(min(lacks)) + 1
        assert not choice["passed"]
        chosen = folder / "takes" / f"frame_00{number}_take_{choice['take']}.png"
        assert (folder / f"frame_00{number}.png").read_bytes() == chosen.read_bytes()

    # lower, so that the first passes: nothing is drawn, nor is it if the floor is where it was
    told(home, "{character: 0.000001, tries: 2}")
    second = run(home, "board.yaml")
    assert second.made("frame") == second.made("score") == []
    assert second.calls.get("unet", 0) == 0
    pictures = second.folder / "film" / "frames_scene_1"
    assert json.loads((pictures / "frame_001_choice.json").read_text())["take"] == 1
    assert not (pictures / "takes" / "frame_001_take_2.png").exists()
    told(home, "{character: 1.0, sentence: 1.0, tries: 2}")
    third = run(home, "board.yaml")
    assert third.made("frame") == []
    assert third.pictures() == first.pictures()
    # another try is one more for each frame that has not passed
    told(home, "{character: 1.0, sentence: 1.0, tries: 3}")
    fourth = run(home, "board.yaml")
    assert sorted(fourth.made("frame")) == ["film/one/1/take_3", "film/one/2/take_3"]
