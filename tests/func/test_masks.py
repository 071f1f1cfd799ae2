"""Attention that sees of other frames where their characters are: what that draws, and draws again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.runs import Ran, lorakit, run
from tests.support.small_projects import write_one_film

BOARD = """storyboard: 1
look: {num_inference_steps: 3}
chain: {from: noise, attention: shared, mask: character}
characters: {bunny: {anchor: a white bunny}, owl: {anchor: an old owl}}
scenes:
  - name: meadow
    setting: in a wood
    sentences:
      - The bunny finds a golden key
      - The bunny looks at a wooden door
      - The owl finds a hat
      - The owl meets the bunny
"""


@pytest.fixture(params=["sd", "sdxl"])
def project(request: pytest.FixtureRequest, tiny_sd: Path, tiny_sdxl: Path, home: Path) -> Path:
    return write_one_film(home, {"sd": tiny_sd, "sdxl": tiny_sdxl}[request.param], BOARD)


def made(ran: Ran) -> set[str]:
    return ran.made_below("film/meadow/")


@pytest.mark.slow
def test_what_a_mask_changes_is_drawn_again_and_nothing_else(project: Path) -> None:
    board = project / "board.yaml"
    board.write_text(BOARD.replace(", mask: character", ""))
    first = run(project, "recipe.yaml")
    assert made(first) == {"1", "2", "3", "4"}
    assert first.calls["rows"] == 4 * 3
    board.write_text(BOARD)
    masked = run(project, "recipe.yaml")
    # the owl alone sees nothing of the frame of the bunny
    assert made(masked) == {"2", "3", "4"}
    assert masked.calls["rows"] == 3 * 3
    before, after = first.pictures(), masked.pictures()
    assert {name[-7:-4] for name in after if before[name] != after[name]} == {"002", "003", "004"}
    board.write_text(BOARD.replace("attention: shared", "attention: own"))
    own = run(project, "recipe.yaml")
    assert made(own) == {"2", "4"}  # the owl alone was drawn without the other
    board.write_text(BOARD)
    assert run(project, "recipe.yaml").made() == []
    # a character's words are in the key of who sees it
    board.write_text(BOARD.replace("looks at", "opens"))
    assert made(run(project, "recipe.yaml")) == {"2"}
    board.write_text(BOARD.replace("The owl finds", "The owl drops"))
    assert made(run(project, "recipe.yaml")) == {"3"}


@pytest.mark.slow
def test_frames_of_a_mask_are_the_same_drawn_alone(project: Path) -> None:
    whole = run(project, "recipe.yaml")
    assert whole.code == 0
    kept = whole.pictures()
    again = run(project, "recipe.yaml", "--force", "film/meadow/4")
    assert made(again) == {"4"}
    assert again.pictures()["film/frames_scene_1/frame_004.png"] == next(
        picture for name, picture in kept.items() if name.endswith("frame_004.png")
    )


def test_a_mask_without_anybody_to_see_is_told(project: Path) -> None:
    (project / "board.yaml").write_text(BOARD.replace("attention: shared, ", ""))
    told = lorakit(project, "validate", "recipe.yaml").stdout
    assert "board.yaml:3:28: warning[no-effect]: mask has no effect here: " in told, told
    assert "write attention: shared beside it, or give a character a reference:" in told
    long = "in a wood " + "that is very old and very dark and very deep and very wide " * 9
    (project / "board.yaml").write_text(BOARD.replace("in a wood", long))
    told = lorakit(project, "validate", "recipe.yaml").stderr
    assert "board.yaml:9:9: error[prompt]: mask: character is for prompts that " in told, told
