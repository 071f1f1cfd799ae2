"""References seen through an IP-Adapter: who is drawn by it, what is drawn again, and what cannot be."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.runs import lorakit, run
from tests.support.tiny_controls import (
    draw_shape,
    save_control_net,
    save_image_encoder,
    save_ip_adapters,
)

RECIPE = """recipe: 1
seed: 5
models:
  m: {from: model, dtype: fp32, ip_adapter: faces}
  faces: {from: faces}
steps:
  film: {kind: storyboard, storyboard: board.yaml, model: m}
"""
WITHOUT = RECIPE.replace(", ip_adapter: faces", "").replace("  faces: {from: faces}\n", "")
BOARD = """storyboard: 1
look: {num_inference_steps: 2}
chain: {from: noise}
characters:
  bunny: {anchor: a white bunny, reference: art/bunny.png, reference_scale: 0.8}
  fox: {anchor: a fox, reference: "scene:castle/1"}
scenes:
  - name: meadow
    sentences:
      - The bunny finds a golden key
      - An owl meets a robot
      - The fox looks at the bunny
      - The bunny holds a hat
  - name: castle
    sentences:
      - The fox holds a hat
      - A village
"""


def a_project(home: Path, model: Path, family: str = "sd", board: str = BOARD) -> Path:
    shutil.copytree(model, home / "model")
    save_ip_adapters(model, home / "faces", family)
    draw_shape(home / "art" / "bunny.png")
    (home / "recipe.yaml").write_text(RECIPE)
    (home / "board.yaml").write_text(board)
    return home


@pytest.mark.slow
@pytest.mark.parametrize("family", ["sd", "sdxl"])
def test_a_changed_reference_redraws_its_characters_frames_and_no_others(
    family: str, tiny_sd: Path, tiny_sdxl: Path, home: Path
) -> None:
    project = a_project(home, {"sd": tiny_sd, "sdxl": tiny_sdxl}[family], family)
    told = lorakit(project, "plan", "recipe.yaml").stdout
    assert "bunny is shown by art/bunny.png, through the IP-Adapter faces at 0.8" in told
    first = run(project, "recipe.yaml")
    frames = {"meadow/1", "meadow/2", "meadow/3", "meadow/4", "castle/1", "castle/2"}
    assert first.made_below() == {*frames, "meadow/1/seen_1", "meadow/3/seen_1"}
    assert first.calls["image_encoder"] == 2  # once a picture, however many frames see it
    before = first.pictures()
    draw_shape(project / "art/bunny.png", at=40)
    again = run(project, "recipe.yaml")
    assert again.made_below() == {"meadow/1/seen_1", "meadow/1", "meadow/3", "meadow/4"}
    assert again.calls["image_encoder"] == 1
    changed = {name for name, digest in again.pictures().items() if before[name] != digest}
    assert changed == {f"film/frames_scene_1/frame_00{n}.png" for n in (1, 3, 4)}
    board, text = project / "board.yaml", (project / "board.yaml").read_text()
    board.write_text(text.replace("reference_scale: 0.8", "reference_scale: 0.7"))
    weaker = run(project, "recipe.yaml")
    assert weaker.made_below() == {"meadow/1", "meadow/3", "meadow/4"}
    assert "image_encoder" not in weaker.calls
    board.write_text(text.replace("The fox holds a hat", "The fox rides a rocket"))
    # meadow/3 sees castle/1, which is drawn before it
    assert run(project, "recipe.yaml").made_below() == {"castle/1", "meadow/3/seen_1", "meadow/3"}


@pytest.mark.slow
def test_frames_without_references_share_waves_as_before(tiny_sd: Path, home: Path) -> None:
    project = a_project(home, tiny_sd)
    worn = run(project, "recipe.yaml").pictures()
    (project / "recipe.yaml").write_text(WITHOUT)
    (project / "board.yaml").write_text(BOARD.replace(", reference_scale: 0.8", ""))
    bare = run(project, "recipe.yaml").pictures()
    same = {name for name in worn if worn[name] == bare[name]}
    # castle/1 is its own fox's reference, and sees nothing before it
    frames = ("frames_scene_1/frame_002", "frames_scene_2/frame_001", "frames_scene_2/frame_002")
    assert {f"film/{name}.png" for name in frames} == {n for n in same if "frame_" in n}


@pytest.mark.slow
def test_held_and_chained_frames_see_references_as_well(tiny_sd: Path, home: Path) -> None:
    board = BOARD.replace("chain: {from: noise}", "chain: {from: previous, strength: 0.5}").replace(
        "The fox looks at the bunny",
        "{text: The fox looks at the bunny, control: {kind: pose, from: art/bunny.png, controlnet: lines}}",
    )
    project = a_project(home, tiny_sd, board=board)
    save_control_net(tiny_sd, home / "lines")
    recipe = project / "recipe.yaml"
    recipe.write_text(RECIPE.replace("  faces:", "  lines: {from: lines}\n  faces:"))
    assert "meadow/3/pose" in run(project, "recipe.yaml").made_below()
    draw_shape(project / "art/bunny.png", at=40)
    again = run(project, "recipe.yaml").made_below()
    assert again == {"meadow/1/seen_1", "meadow/3/pose", *(f"meadow/{n}" for n in (1, 2, 3, 4))}


@pytest.mark.slow
def test_another_file_of_weights_draws_again_and_is_told(tiny_sd: Path, home: Path) -> None:
    project = a_project(home, tiny_sd)
    run(project, "recipe.yaml")
    recipe = project / "recipe.yaml"
    recipe.write_text(
        RECIPE.replace(
            "{from: faces}", "{from: faces, weight_name: ip-adapter-plus_sd15.safetensors}"
        )
    )
    # that one reads hidden states of the encoder
    assert run(project, "recipe.yaml").made_below() == {
        *("meadow/1/seen_1", "meadow/3/seen_1"),
        *("meadow/1", "meadow/3", "meadow/4"),
    }


def test_ip_adapters_that_cannot_be_are_told_at_their_places(
    tiny_sd: Path, tiny_sdxl: Path, home: Path
) -> None:
    project = a_project(home, tiny_sd)
    recipe, board = project / "recipe.yaml", project / "board.yaml"

    def told(text: str = RECIPE) -> str:
        recipe.write_text(text)
        return lorakit(project, "validate", "recipe.yaml").stderr

    assert told() == ""
    words = told(RECIPE.replace("ip_adapter: faces", "ip_adapter: face"))
    assert "recipe.yaml:4:45: error[unknown-model]: the recipe has no model face\n" in words
    assert "did you mean faces?" in words
    named = RECIPE.replace("{from: faces}", "{from: faces, weight_name: ip-adapter_sd15.bin}")
    words = told(named)
    assert "recipe.yaml:5:37: error[model]: " in words
    assert "ip-adapter_sd15.bin is a pickle, which can run code when it is read" in words
    assert "write weight_name: ip-adapter_sd15.safetensors" in words
    words = told(named.replace(".bin", "_light.safetensors"))
    assert "it has no ip-adapter_sd15_light.safetensors" in words
    assert "it has ip-adapter-plus_sd15.safetensors, ip-adapter_sd15.safetensors" in words
    board.write_text(BOARD.replace("chain: {from: noise}", "chain: {attention: shared}"))
    assert "board.yaml:3:20: error[ip-adapter]: a frame that sees references" in told()
    board.write_text(BOARD.replace("a golden key", "a (golden:1.4) key"))
    assert "error[prompt]: a frame that a ControlNet holds, that sees references" in told()
    board.write_text(BOARD)
    recipe.write_text(WITHOUT)
    words = lorakit(project, "validate", "recipe.yaml").stdout
    assert "board.yaml:5:77: warning[no-effect]: reference_scale has no effect: " in words
    (project / "faces/models/ip-adapter_sd15.safetensors").rename(
        project / "faces/models/ip-adapter_sd15.bin"
    )
    (project / "faces/models/ip-adapter-plus_sd15.safetensors").unlink()
    words = told()
    assert "error[model]: " in words
    assert (
        "it has no models/ip-adapter_sd15.safetensors; it holds models/ip-adapter_sd15.bin" in words
    )
    assert "hf download h94/IP-Adapter models/ip-adapter_sd15.safetensors" in words
    (project / "faces/models/ip-adapter_sd15.safetensors").write_bytes(b"\0" * 40)
    assert "ip-adapter_sd15.safetensors is not a safetensors file, or is cut short" in told()
    shutil.rmtree(project / "faces")
    save_ip_adapters(tiny_sd, project / "faces")
    save_image_encoder(project / "faces/models/image_encoder", projection=24)
    words = told()
    assert (
        "ip-adapter_sd15.safetensors reads embeds of 16 numbers; models/image_encoder gives 24"
        in words
    )
    shutil.rmtree(project / "model")
    shutil.copytree(tiny_sdxl, project / "model")
    save_image_encoder(project / "faces/models/image_encoder")
    words = told(named.replace(".bin", ".safetensors"))
    assert (
        "recipe.yaml:5:37: error[ip-adapter]: ip-adapter_sd15.safetensors is for another model: "
        in words
    )
