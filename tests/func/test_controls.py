"""Frames that a ControlNet holds: edges, depths, poses, through diffusers' own pipelines."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.support.films import write_film
from tests.support.runs import Ran, lorakit, run
from tests.support.tiny_controls import (
    draw_shape,
    save_control_net,
    save_control_union,
    save_depth_model,
    save_flux_control_net,
)

RECIPE = """recipe: 1
seed: 5
models:
  m: {from: model, dtype: fp32}
  lines: {from: lines}
  depths: {from: depths}
steps:
  film: {kind: storyboard, storyboard: board.yaml, model: m}
"""
BOARD = """storyboard: 1
look: {num_inference_steps: 3}
chain: {from: previous, strength: 0.7}
control: {kind: canny, controlnet: lines}
scenes:
  - name: meadow
    sentences:
      - {text: A white bunny finds a golden key, control: {from: art/shape.png, strength: 0.8, end: 0.9}}
      - {text: A white bunny looks at a wooden door, control: {from: previous}}
      - A white bunny holds a hat
"""


@pytest.fixture(params=["sd", "sdxl"])
def project(request: pytest.FixtureRequest, tiny_sd: Path, tiny_sdxl: Path, home: Path) -> Path:
    pytest.importorskip("cv2")
    model = {"sd": tiny_sd, "sdxl": tiny_sdxl}[request.param]
    return a_project(home, model)


def a_project(home: Path, model: Path) -> Path:
    shutil.copytree(model, home / "model")
    save_control_net(model, home / "lines")
    save_depth_model(home / "depths")
    draw_shape(home / "art" / "shape.png")
    (home / "recipe.yaml").write_text(RECIPE)
    (home / "board.yaml").write_text(BOARD)
    return home


def made(ran: Ran) -> set[str]:
    return ran.made_below("film/meadow/")


def still(ran: Ran) -> set[str]:
    return {name for name in made(ran) if "film" not in name}


def picture(ran: Ran, name: str) -> np.ndarray[Any, Any]:
    return np.asarray(Image.open(ran.folder / "film/frames_scene_1" / name).convert("RGB"))


def test_edges_are_found_and_frames_held_to_them(project: Path) -> None:
    import cv2

    ran = run(project, "recipe.yaml")
    assert ran.code == 0, ran.events
    assert made(ran) == {"1", "1/canny", "2", "2/canny", "3"}
    source = Image.open(project / "art/shape.png").convert("RGB").crop((16, 0, 80, 64))
    edges = picture(ran, "control/frame_1_canny.png")
    assert np.array_equal(edges[..., 0], cv2.Canny(np.asarray(source), 100, 200))
    assert run(project, "recipe.yaml").made() == []


@pytest.mark.slow
def test_a_map_that_changes_redraws_what_it_holds(project: Path) -> None:
    first = run(project, "recipe.yaml")
    assert first.code == 0, first.events
    assert first.calls["unet"] == 3 + 2 + 2
    assert first.calls["controlnet"] == 3 + 2  # past its end it is called, and weighs nothing
    draw_shape(project / "art/shape.png", at=40)
    again = run(project, "recipe.yaml")
    assert made(again) == {"1", "1/canny", "2", "2/canny", "3"}
    assert (again.calls["unet"], again.calls["controlnet"]) == (3 + 2 + 2, 3 + 2)
    text = (project / "board.yaml").read_text()
    (project / "board.yaml").write_text(text.replace("strength: 0.8", "strength: 0.4"))
    weaker = run(project, "recipe.yaml")
    assert made(weaker) == {"1", "2", "2/canny", "3"}
    assert (weaker.calls["unet"], weaker.calls["controlnet"]) == (3 + 2 + 2, 3 + 2)
    (project / "board.yaml").write_text(text.replace("control: {from: previous}", "seed: 4"))
    ran = run(project, "recipe.yaml")
    assert made(ran) == {"2", "3"}
    assert ran.calls["unet"] == 2 + 2
    assert "controlnet" not in ran.calls


@pytest.mark.slow
def test_a_pose_is_taken_as_it_is_and_depths_are_told_by_a_model(tiny_sd: Path, home: Path) -> None:
    project = a_project(home, tiny_sd)
    (project / "board.yaml").write_text(
        """storyboard: 1
look: {num_inference_steps: 2}
chain: {from: noise}
control: {controlnet: lines, from: art/shape.png}
scenes:
  - name: meadow
    sentences:
      - {text: A white bunny, control: {kind: pose}}
      - {text: A golden key, control: {kind: pose}}
      - {text: A wooden door, control: {kind: depth, depth_model: depths}}
      - {text: A hat, control: {strength: 0, kind: scribble}}
"""
    )
    ran = run(project, "recipe.yaml")
    assert ran.code == 0, ran.events
    assert made(ran) == {"1", "1/pose", "2", "3", "3/depth", "4"}
    assert ran.calls["depth"] == 1
    source = Image.open(project / "art/shape.png").crop((16, 0, 80, 64))
    assert np.array_equal(picture(ran, "control/frame_1_pose.png"), np.asarray(source))
    depths = picture(ran, "control/frame_3_depth.png")
    assert depths.shape == (64, 64, 3)
    assert np.ptp(depths) > 50
    report = (ran.folder / "report.html").read_text()
    assert "frame_3_depth.png" in report


def test_controls_that_cannot_be_are_told_at_their_places(tiny_sd: Path, home: Path) -> None:
    project = a_project(home, tiny_sd)
    board = project / "board.yaml"
    board.write_text(
        """storyboard: 1
scenes:
  - name: meadow
    chain: {from: noise}
    sentences:
      - {text: A white bunny, control: {from: art/shape.png, controlnet: lines}}
      - {text: A golden key, control: {from: art/shape.png, kind: pose}}
      - {text: A wooden door, control: {from: art/shape.png, kind: pose, controlnet: line}}
      - {text: A hat, control: {from: art/shape.png, kind: depth, controlnet: lines, depth_model: lines}}
      - {text: An owl, control: {from: art/shape.png, kind: pose, controlnet: depths}}
      - {text: A fox, control: {from: art/shape.png, kind: pose, controlnet: lines, start: 0.5, end: 0.5}}
"""
    )
    told = lorakit(project, "validate", "recipe.yaml").stderr
    for words in (
        "board.yaml:6:47: error[control]: control has from: and no kind:",
        "board.yaml:7:46: error[control]: control has no controlnet:",
        "board.yaml:8:86: error[unknown-model]: the recipe has no model line\n",
        "board.yaml:9:99: error[control]: ",
        "is a ControlNetModel, which tells no depths",
        "board.yaml:10:79: error[control]: ",
        "is a DepthAnythingForDepthEstimation; frames of ",
        "board.yaml:11:102: error[control]: a control that starts at 0.5 of the steps cannot end at 0.5",
    ):
        assert words in told, told
    board.write_text(BOARD.replace("art/shape.png", "art/shapes.png"))
    told = lorakit(project, "validate", "recipe.yaml").stderr
    assert "board.yaml:8:66: error[missing-file]: there is no picture at art/shapes.png" in told
    (project / "art/shapes.png").write_bytes(b"\0" * 40)
    told = lorakit(project, "validate", "recipe.yaml").stderr
    assert "board.yaml:8:66: error[picture]: " in told
    board.write_text(BOARD)
    told = lorakit(project, "validate", "board.yaml").stderr
    assert "board.yaml:4:36: error[unknown-model]: the recipe has no model lines" in told


def test_a_control_net_of_another_model_is_no_control_net_of_this_one(
    tiny_sd: Path, tiny_sd2: Path, tiny_sdxl: Path, home: Path
) -> None:
    project = a_project(home, tiny_sd)
    shutil.rmtree(project / "lines")
    save_control_net(tiny_sdxl, project / "lines")
    told = lorakit(project, "validate", "recipe.yaml").stderr
    assert "lines is a ControlNetModel for sdxl; frames of " in told
    shutil.rmtree(project / "lines")
    save_control_net(tiny_sd2, project / "lines")
    told = lorakit(project, "validate", "recipe.yaml").stderr
    assert "is for another Stable Diffusion: its cross_attention_dim is 40, " in told


def test_a_union_is_told_the_kind_of_each_picture(tiny_sdxl: Path, home: Path) -> None:
    project = a_project(home, tiny_sdxl)
    shutil.rmtree(project / "lines")
    save_control_union(tiny_sdxl, project / "lines", theirs=True)
    (project / "board.yaml").write_text(
        """storyboard: 1
look: {num_inference_steps: 2}
chain: {from: noise}
control: {controlnet: lines, from: art/shape.png}
scenes:
  - name: meadow
    sentences:
      - {text: A white bunny, control: {kind: pose}}
      - {text: A white bunny, control: {kind: scribble}}
      - {text: A white bunny, control: {kind: scribble, control_mode: 0}}
      - {text: A white bunny, seed: 5, control: {kind: canny}}
"""
    )
    ran = run(project, "recipe.yaml")
    assert ran.code == 0, ran.events
    # two kinds of the same picture are two frames, and the same number is the same frame
    assert made(ran) == {"1", "1/pose", "2", "2/scribble", "4", "4/canny"}
    assert not np.array_equal(picture(ran, "frame_001.png"), picture(ran, "frame_002.png"))
    assert np.array_equal(picture(ran, "frame_001.png"), picture(ran, "frame_003.png"))
    assert ran.calls["controlnet"] == 3 * 2
    assert run(project, "recipe.yaml").made() == []


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_kind_that_a_union_does_not_know_is_told_at_its_place(
    tiny_sdxl: Path, tiny_transformer: Callable[[str], Path], home: Path
) -> None:
    project = a_project(home, tiny_sdxl)
    board = project / "board.yaml"
    board.write_text(
        """storyboard: 1
chain: {from: noise}
control: {kind: scribble, controlnet: lines, from: art/shape.png}
scenes:
  - sentences:
      - A white bunny
      - {text: A golden key, control: {control_mode: 9}}
"""
    )
    told = lorakit(project, "validate", "recipe.yaml").stdout
    assert "board.yaml:7:54: warning[no-effect]: control_mode has no effect: " in told, told
    shutil.rmtree(project / "lines")
    save_control_union(tiny_sdxl, project / "lines")
    told = lorakit(project, "validate", "recipe.yaml").stderr
    assert "board.yaml:7:54: error[control]: " in told, told
    assert "tells 6 kinds of pictures apart, 0 to 5, and this is 9" in told
    shutil.rmtree(project / "lines")
    shutil.rmtree(project / "model")
    flux = tiny_transformer("flux-dev")
    shutil.copytree(flux, project / "model")
    save_flux_control_net(flux, project / "lines", modes=10)
    told = lorakit(project, "validate", "recipe.yaml").stderr
    assert (
        "board.yaml:3:17: error[control]: unions for Flux.1 have no usual number for kind: scribble"
        in told
    ), told
    assert "write control_mode: with one of 0 to 9, from the card of " in told


DANCE = """storyboard: 1
look: {num_inference_steps: 2}
chain: {from: noise}
control: {kind: pose, controlnet: lines, from: art/dance.mkv}
video: {hold: 0.5}
scenes:
  - name: meadow
    sentences:
      - A white bunny
      - A golden key
      - {text: A golden key, repeat: true}
      - {text: A wooden door, hold: 1}
      - A hat
"""


@pytest.mark.slow
def test_each_frame_is_held_by_the_film_at_its_time(tiny_sd: Path, home: Path) -> None:
    project = a_project(home, tiny_sd)
    (project / "board.yaml").write_text(DANCE)
    film = project / "art" / "dance.mkv"
    # four frames a second: those of 0, 0.5, 1.5 and 2.5 s are seen
    colours = list(range(0, 112, 8))
    drawn = write_film(film, colours, fps="4", codec="ffv1", size=(64, 64))
    ran = run(project, "recipe.yaml")
    assert ran.code == 0, ran.events
    frames = {"1", "2", "4", "5"}
    assert still(ran) == frames | {f"{n}/pose" for n in frames}
    for number, seen in ((1, 0), (2, 2), (4, 6), (5, 10)):
        shown = picture(ran, f"control/frame_{number}_pose.png")
        assert shown.tobytes() == drawn[seen]
    assert ran.calls["controlnet"] == ran.calls["unet"] == 4 * 2
    assert "frame_4_pose.png" in (ran.folder / "report.html").read_text()
    packed = lorakit(project, "bundle", str(ran.folder), "--out", "dance.zip")
    assert packed.returncode == 0, packed.stderr
    with zipfile.ZipFile(project / "dance.zip") as archive:
        assert archive.read("project/art/dance.mkv") == film.read_bytes()
    assert run(project, "recipe.yaml").made() == []
    # another picture at 1.5 s, and others that no frame sees
    for at in (1, 5, 6, 11):
        colours[at] += 3
    write_film(film, colours, fps="4", codec="ffv1", size=(64, 64))
    again = run(project, "recipe.yaml")
    assert still(again) == {"4", "4/pose"}
    assert again.calls["controlnet"] == again.calls["unet"] == 2
    # a frame that is held longer moves those behind it
    text = DANCE.replace("- A golden key", "- {text: A golden key, hold: 1}")
    (project / "board.yaml").write_text(text)
    assert still(run(project, "recipe.yaml")) == {"4", "4/pose", "5", "5/pose"}


def test_a_film_that_is_too_short_is_told_with_both_lengths(tiny_sd: Path, home: Path) -> None:
    project = a_project(home, tiny_sd)
    board = project / "board.yaml"
    board.write_text(DANCE)
    write_film(project / "art" / "dance.mkv", range(6), fps="4", codec="ffv1")
    told = lorakit(project, "plan", "recipe.yaml").stderr
    assert (
        "board.yaml:4:48: error[control]: dance.mkv lasts 1.50 s, 6 frames, and frame 4 of the 5 of scene "
        "meadow stands at 1.50 s" in told
    ), told
    assert told.count("error[control]") == 1
    board.write_text(DANCE.replace("video: {hold: 0.5}", "video: {narration: true}"))
    told = lorakit(project, "plan", "recipe.yaml").stderr
    assert "and when frame 2 of scene meadow stands is known once words are spoken" in told, told
    board.write_text(DANCE.replace("video: {hold: 0.5}\n", "").replace("dance.mkv", "shape.mp4"))
    told = lorakit(project, "validate", "recipe.yaml").stderr
    assert "board.yaml:4:48: error[missing-file]: there is no film at art/shape.mp4" in told
    (project / "art/shape.mp4").write_bytes(b"\0" * 40)
    told = lorakit(project, "validate", "recipe.yaml").stderr
    assert "board.yaml:4:48: error[film]: shape.mp4 cannot be read as a film: " in told, told
