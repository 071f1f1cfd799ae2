"""References of characters: shown as pictures where a family reads them, by shared attention where a UNet draws."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.runs import lorakit, run
from tests.support.small_projects import write_one_film
from tests.support.tiny_controls import draw_shape
from tests.support.tiny_transformers import SIDES

BOARD = """storyboard: 1
look: {num_inference_steps: 2}
chain: {from: noise}
characters:
  bunny: {anchor: a white bunny, reference: art/bunny.png}
  fox: {anchor: a fox, reference: "scene:castle/1"}
scenes:
  - name: meadow
    sentences:
      - The bunny finds a golden key
      - An owl meets a robot
      - The fox looks at the bunny
  - name: castle
    sentences:
      - The fox holds a hat
      - A village
"""


def a_project(home: Path, model: Path, board: str = BOARD) -> Path:
    draw_shape(home / "art" / "bunny.png")
    return write_one_film(home, model, board)


@pytest.mark.slow
@pytest.mark.parametrize("family", ["sd", "sdxl"])
def test_a_changed_reference_redraws_its_characters_frames_and_no_others(
    family: str, tiny_sd: Path, tiny_sdxl: Path, home: Path
) -> None:
    project = a_project(home, {"sd": tiny_sd, "sdxl": tiny_sdxl}[family])
    told = lorakit(project, "plan", "recipe.yaml").stdout
    assert "bunny is shown by art/bunny.png, by shared attention" in told
    first = run(project, "recipe.yaml")
    assert first.made_below() == {
        "latents-0001",
        *("meadow/1", "meadow/2", "meadow/3"),
        *("castle/1", "castle/2"),
    }
    assert first.calls["rows"] == 5 * 2
    before = first.pictures()
    draw_shape(project / "art/bunny.png", at=40)
    again = run(project, "recipe.yaml")
    assert again.made_below() == {"latents-0001", "meadow/1", "meadow/3"}
    assert again.calls["rows"] == 2 * 2
    changed = {name for name, digest in again.pictures().items() if before[name] != digest}
    assert changed == {f"film/frames_scene_1/frame_00{n}.png" for n in (1, 3)}
    text = (project / "board.yaml").read_text()
    (project / "board.yaml").write_text(text.replace("holds a hat", "rides a rocket"))
    # meadow/3 sees castle/1, which is drawn before it
    assert run(project, "recipe.yaml").made_below() == {"castle/1", "meadow/3"}
    (project / "board.yaml").write_text(text.replace(", reference: art/bunny.png", ""))
    assert run(project, "recipe.yaml").made_below() == {"meadow/1", "meadow/3"}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["flux-kontext", "flux2-klein"])
def test_a_family_that_reads_pictures_is_shown_them(
    kind: str, tiny_transformer: Callable[[str], Path], home: Path
) -> None:
    side = f"width: {SIDES[kind]}, height: {SIDES[kind]}"
    board = BOARD.replace("steps: 2", f"steps: 2, {side}")
    project = a_project(home, tiny_transformer(kind), board)
    told = lorakit(project, "plan", "recipe.yaml").stdout
    assert "bunny is shown by art/bunny.png, as pictures" in told
    first = run(project, "recipe.yaml")
    assert first.calls["unet"] == 5 * 2
    draw_shape(project / "art/bunny.png", at=40)
    again = run(project, "recipe.yaml")
    assert again.calls["unet"] == len(again.made_below()) * 2
    # Kontext reads one picture: the first who is named is the one that is shown
    assert again.made_below() == {"meadow/1"} | ({"meadow/3"} if kind == "flux2-klein" else set())


@pytest.mark.slow
def test_three_references_are_seen_at_most(tiny_sd: Path, home: Path) -> None:
    board = BOARD.replace(
        "reference: art/bunny.png", "reference: [art/bunny.png, art/a.png, art/b.png]"
    ).replace("chain: {from: noise}", "chain: {from: noise, attention: shared}")
    project = a_project(home, tiny_sd, board)
    draw_shape(project / "art/a.png", 4)
    draw_shape(project / "art/b.png", 12)
    assert run(project, "recipe.yaml").made_below() >= {"latents-0003"}
    draw_shape(project / "art/b.png", 16)
    # meadow/3 sees the scene's first frame, the fox's castle/1 and the bunny's first picture
    assert run(project, "recipe.yaml").made_below() == {
        "latents-0003",
        "meadow/1",
        "meadow/2",
        "meadow/3",
    }


def test_references_that_cannot_be_are_told_at_their_places(
    tiny_transformer: Callable[[str], Path], tiny_sd: Path, home: Path
) -> None:
    project = a_project(home, tiny_sd, BOARD.replace("scene:castle/1", "scene:castle/3"))
    told = lorakit(project, "validate", "recipe.yaml").stderr
    assert "board.yaml:6:35: error[reference]: scene:castle/3 is no frame of this board" in told
    assert "castle has 2 frames" in told
    (project / "board.yaml").write_text(BOARD.replace("art/bunny.png", "art/buny.png"))
    told = lorakit(project, "validate", "recipe.yaml").stderr
    assert "board.yaml:5:45: error[missing-file]: there is no picture at art/buny.png" in told
    assert "did you mean art/bunny.png?" in told
    (project / "board.yaml").write_text(BOARD)
    shutil.rmtree(project / "model")
    shutil.copytree(tiny_transformer("flux-schnell"), project / "model")
    told = lorakit(project, "validate", "recipe.yaml").stderr
    assert "error[reference]: " in told
    assert "model is Flux.1, which cannot be shown how bunny looks" in told
