"""One frame is changed and the rest kept: by a mask through diffusers' inpainting, or by an instruction."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.support.runs import Ran, lorakit, run
from tests.support.small_projects import ONE_FILM, write_one_film
from tests.support.tiny_transformers import SIDES

BOARD = """storyboard: 1
look: {num_inference_steps: 3}
chain: {from: previous, strength: 0.7}
scenes:
  - name: meadow
    sentences:
      - A white bunny finds a golden key
      - text: A white bunny holds a hat
      - A white bunny looks at a wooden door
"""
EDIT = "A white bunny holds a hat\n        edit: EDIT"


def a_project(home: Path, model: Path, edit: str, board: str = BOARD) -> Path:
    (home / "art").mkdir()
    return write_one_film(home, model, with_edit(edit, board))


def write(home: Path, edit: str, board: str = BOARD) -> None:
    (home / "board.yaml").write_text(with_edit(edit, board))


def with_edit(edit: str, board: str) -> str:
    text = board.replace("A white bunny holds a hat", EDIT.replace("EDIT", edit))
    return text if edit else board


def draw_mask(file: Path, size: int, left: int) -> None:
    mask = Image.new("L", (size, size), 0)
    mask.paste(255, (left, 0, left + size // 4, size))
    mask.save(file)


def made(ran: Ran) -> set[str]:
    return ran.made_below("film/meadow/")


def picture(ran: Ran, name: str) -> np.ndarray[Any, Any]:
    return np.asarray(Image.open(ran.folder / "film/frames_scene_1" / name).convert("RGB"))


@pytest.mark.slow
@pytest.mark.parametrize("family", ["sd", "sdxl"])
def test_pixels_outside_the_mask_are_those_of_the_frame_as_it_was(
    family: str, tiny_sd: Path, tiny_sdxl: Path, home: Path
) -> None:
    project = a_project(home, {"sd": tiny_sd, "sdxl": tiny_sdxl}[family], "")
    plain = run(project, "recipe.yaml")
    assert made(plain) == {"1", "2", "3"}
    draw_mask(project / "art/mask.png", 64, 16)
    write(project, "{mask: art/mask.png, prompt: a robot}")
    edited = run(project, "recipe.yaml")
    # what is behind it in the chain is held on the frame as it was
    assert made(edited) == {"2/edit"}
    assert edited.calls["unet"] == 2  # int(3 * 0.9)
    before, after = picture(plain, "frame_002.png"), picture(edited, "frame_002.png")
    assert np.array_equal(picture(edited, "unedited/frame_002.png"), before)
    inside = np.zeros((64, 64), bool)
    inside[:, 16:32] = True
    assert np.array_equal(before[~inside], after[~inside])
    assert np.abs(before[inside].astype(int) - after[inside]).mean() > 1
    draw_mask(project / "art/mask.png", 64, 40)
    moved = run(project, "recipe.yaml")
    assert made(moved) == {"2/edit"}
    assert moved.calls["unet"] == 2
    write(project, "{mask: art/mask.png, prompt: a robot, chained: true}")
    chained = run(project, "recipe.yaml")
    assert made(chained) == {"3"}
    assert chained.calls["rows"] == 2  # int(3 * 0.7)
    write(project, "")
    assert made(run(project, "recipe.yaml")) == set()


def test_an_instruction_is_for_a_family_that_edits(
    tiny_transformer: Callable[[str], Path], home: Path
) -> None:
    side = SIDES["flux-kontext"]
    board = BOARD.replace("steps: 3", f"steps: 2, width: {side}, height: {side}")
    board = board.replace("chain: {from: previous, strength: 0.7}", "chain: {from: previous}")
    project = a_project(home, tiny_transformer("flux-kontext"), "", board)
    assert made(run(project, "recipe.yaml")) == {"1", "2", "3"}
    draw_mask(project / "art/mask.png", side, 16)
    write(project, '{instruction: "make the hat red", mask: art/mask.png}', board)
    edited = run(project, "recipe.yaml")
    assert made(edited) == {"2/edit"}
    same = np.all(picture(edited, "frame_002.png") == picture(edited, "unedited/frame_002.png"), 2)
    assert same[:, :16].all()
    assert not same[:, 16 : 16 + side // 4].all()


@pytest.mark.slow
def test_a_repeated_frame_shows_the_edit_and_the_next_scene_begins_from_the_frame_as_it_was(
    tiny_sd: Path, home: Path
) -> None:
    board = BOARD.replace("A white bunny looks at a wooden door", "{text: It waits, repeat: true}")
    board += "  - {name: castle, start: previous-scene, sentences: [A white bunny]}\n"
    project = a_project(home, tiny_sd, "{mask: art/mask.png, prompt: a robot}", board)
    draw_mask(project / "art/mask.png", 64, 16)
    ran = run(project, "recipe.yaml")
    assert made(ran) == {"1", "2", "2/edit", "film/castle/1"}
    assert np.array_equal(picture(ran, "frame_002.png"), picture(ran, "frame_003.png"))
    write(project, "{mask: art/mask.png, prompt: a fox}", board)
    assert made(run(project, "recipe.yaml")) == {"2/edit"}


def test_edits_that_cannot_be_are_told_at_their_places(
    tiny_transformer: Callable[[str], Path], tiny_sd: Path, home: Path
) -> None:
    project = a_project(home, tiny_sd, '{instruction: "make the hat red"}')
    told = lorakit(project, "validate", "recipe.yaml").stderr
    assert "board.yaml:9:29: error[edit]: " in told, told
    assert "is Stable Diffusion, which follows no instruction" in told
    write(project, "{prompt: a red hat}")
    told = lorakit(project, "validate", "recipe.yaml").stderr
    assert "board.yaml:9:24: error[edit]: an edit needs a mask or an instruction" in told
    write(project, "{mask: art/mask.png, prompt: a red hat}")
    told = lorakit(project, "validate", "recipe.yaml").stderr
    assert "board.yaml:9:22: error[missing-file]: there is no mask at art/mask.png" in told
    draw_mask(project / "art/mask.png", 64, 16)
    write(project, "{mask: art/mask.png, prompt: a red hat, strength: 0.2}")
    told = lorakit(project, "validate", "recipe.yaml").stderr
    assert "error[no-steps]: strength 0.2 of 3 num_inference_steps leaves no step" in told
    (project / "recipe.yaml").write_text(ONE_FILM.replace("from: model", "from: lorakit:studio"))
    told = lorakit(project, "validate", "recipe.yaml").stderr
    assert "diffusers paints into latents of 4 channels, and lorakit:studio has 16" in told
    shutil.rmtree(project / "model")
    shutil.copytree(tiny_transformer("flux-kontext"), project / "model")
    (project / "recipe.yaml").write_text(ONE_FILM)
    told = lorakit(project, "validate", "recipe.yaml").stderr
    assert "model is Flux.1-Kontext, which paints into no masks" in told
