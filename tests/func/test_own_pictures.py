"""Pictures of the user's own as frames, and at the beginning of scenes. Real runs of a tiny model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from tests.attack.commands import lorakit
from tests.support.boards import board_text, sentences, write_project
from tests.support.repositories import commit, init
from tests.support.runs import Ran, run

LINES = sentences(1, 3)
BOARD = board_text([("one", LINES), ("two", sentences(2, 2))], video="")
OWN = BOARD.replace(f"- {LINES[1]}", f"- {{text: {LINES[1]}, image: paint/meadow.png}}")
BEGUN = BOARD.replace("- name: two\n", "- name: two\n    start: paint/meadow.png\n")
PAINTED = Path("paint/meadow.png")


def paint(colour: str, size: tuple[int, int] = (96, 80), **saved: object) -> Image.Image:
    PAINTED.parent.mkdir(exist_ok=True)
    picture = Image.new("RGB", size, colour)
    picture.paste("white", (10, 10, 40, 30))
    picture.save(PAINTED, **saved)  # type: ignore[arg-type]
    return picture


def made(ran: Ran) -> list[str]:
    assert ran.code == 0, ran.errors
    return ran.made("frame")


@pytest.mark.slow
def test_a_picture_stands_for_a_frame_and_is_chained_from(home: Path) -> None:
    write_project(home, BOARD)
    assert len(made(run(home))) == 5
    paint("navy")
    write_project(home, OWN)
    ran = run(home)
    assert made(ran) == ["film/one/3"]
    assert ran.calls["rows"] == 2
    frame = Image.open(ran.folder / "film" / "frames_scene_1" / "frame_002.png")
    assert frame.size == (64, 64)
    # 96x80 becomes 77x64 or so, of which the middle stays
    expected = np.asarray(
        Image.open(PAINTED).resize((77, 64), Image.Resampling.LANCZOS).crop((6, 0, 70, 64))
    )
    assert np.abs(np.asarray(frame).astype(int) - expected.astype(int)).mean() < 6
    assert made(run(home, "--copy")) == []

    # another picture: what begins from it and nothing else
    paint("red")
    again = run(home)
    assert made(again) == ["film/one/3"]
    assert (
        again.pictures()["film/frames_scene_1/frame_001.png"]
        == ran.pictures()["film/frames_scene_1/frame_001.png"]
    )
    assert (
        again.pictures()["film/frames_scene_1/frame_003.png"]
        != ran.pictures()["film/frames_scene_1/frame_003.png"]
    )


@pytest.mark.slow
def test_a_scene_begins_from_a_picture(home: Path) -> None:
    write_project(home, BOARD)
    made(run(home))
    paint("navy")
    write_project(home, BEGUN)
    ran = run(home)
    assert made(ran) == ["film/two/1", "film/two/2"]
    assert ran.calls["rows"] == 2 * 2
    shown = [path.name for path in (ran.folder / "film" / "frames_scene_2").glob("*.png")]
    assert sorted(shown) == ["frame_001.png", "frame_002.png"]
    paint("red")
    assert made(run(home)) == ["film/two/1", "film/two/2"]


@pytest.mark.slow
def test_latents_are_the_mode_of_the_autoencoder(home: Path) -> None:
    from diffusers import AutoencoderKL

    paint("navy", (64, 64))
    write_project(home, OWN)
    ran = run(home)
    (encoded,) = [a for a in ran.manifest["actions"] if a["kind"] == "latents"]
    digest = encoded["outputs"]["latents"]
    ours = load_file(home / ".lorakit" / "objects" / digest[:2] / digest[2:])["mean"]
    vae = AutoencoderKL.from_pretrained(home / "tiny", subfolder="vae")
    pixels = torch.tensor(np.asarray(Image.open(PAINTED))).permute(2, 0, 1)[None] / 127.5 - 1
    with torch.no_grad():
        theirs = vae.encode(pixels).latent_dist.mode() * vae.config.scaling_factor
    assert torch.allclose(ours, theirs, atol=1e-5)


@pytest.mark.slow
def test_a_photograph_is_shown_upright(home: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6  # turned by a quarter when it is looked at
    paint("navy", (80, 80), exif=exif)
    write_project(home, OWN)
    ran = run(home)
    frame = np.asarray(
        Image.open(ran.folder / "film" / "frames_scene_1" / "frame_002.png").convert("L")
    )
    assert frame[16, 50] > 200 > frame[16, 16]  # what lay on the left stands at the top right


def test_what_is_wrong_with_a_picture_is_told_at_its_place(home: Path) -> None:
    paint("navy")
    write_project(home, OWN.replace("paint/meadow.png", "paint/medow.png"))
    said = lorakit("validate", "recipe.yaml")
    assert said.code == 3
    assert "error[missing-file]: there is no picture at paint/medow.png" in said.text
    assert "did you mean paint/meadow.png?" in said.text
    PAINTED.write_bytes(b"no picture")
    write_project(home, OWN)
    said = lorakit("validate", "recipe.yaml")
    assert said.code == 3
    assert "board.yaml:8:" in said.text
    assert "error[picture]: meadow.png cannot be read: it is none of PNG, JPEG" in said.text
    write_project(home, OWN.replace("paint/", "../../"))
    assert "error[outside-root]" in lorakit("validate", "recipe.yaml").text


def test_what_has_no_effect_beside_a_picture_is_said(home: Path) -> None:
    paint("navy")
    write_project(
        home, OWN.replace("paint/meadow.png", "paint/meadow.png, strength: 0.4, takes: 3")
    )
    text = lorakit("validate", "recipe.yaml").text
    assert "warning[no-effect]: strength has no effect beside image:" in text
    assert "warning[no-effect]: takes has no effect beside image:" in text
    assert "38% of it" not in text
    assert "of it falls off" in lorakit("plan", "recipe.yaml", "--frames").text


@pytest.mark.slow
@pytest.mark.parametrize(
    "chain",
    [
        "{from: anchor, attention: shared}",
        "{from: previous, anchor_weight: 0.3}",
        "{from: previous, color: anchor}",
    ],
)
def test_a_painted_first_frame_is_an_anchor_like_any_other(home: Path, chain: str) -> None:
    paint("navy")
    board = OWN.replace(LINES[1], "a fox meets nobody").replace(
        "{from: previous, strength: 0.5}", chain
    )
    board = board.replace(f"- {LINES[0]}", f"- {{text: {LINES[0]}, image: paint/meadow.png}}")
    write_project(home, board)
    assert sorted(made(run(home))) == ["film/one/3", "film/two/1", "film/two/2"]


@pytest.mark.slow
def test_a_diff_knows_pictures_of_revisions(home: Path) -> None:
    (home / ".gitignore").write_text("tiny/\noutputs/\n.lorakit/\n")
    paint("navy")
    write_project(home, OWN)
    init(home)
    commit(home)
    made(run(home))
    paint("red")
    said = json.loads(lorakit("diff", "--json").text)
    (document,) = said["documents"]
    assert document["files"] == ["paint/meadow.png"]
    assert [
        a["id"]
        for a in document["actions"]
        if a["became"] == "drawn again" and a["kind"] == "frame"
    ] == ["film/one/3"]
