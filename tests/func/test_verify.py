"""`lorakit verify` and `lorakit bundle`: a run made again from what its folder says of it."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lorakit.diagnostics import LorakitError
from lorakit.doors.bundle import unpack
from lorakit.execute import past_run
from lorakit.remake import compare
from tests.support.boards import board_text, sentences, write_project
from tests.support.runs import lorakit, run

BOARD = board_text([("one", sentences(1, 2))])
FRAME = "film/frames_scene_1/frame_001.png"


def verified(home: Path, what: str) -> tuple[int, dict[str, object]]:
    done = lorakit(home, "verify", what, "--json")
    assert done.stdout, done.stderr
    told: dict[str, object] = json.loads(done.stdout)
    return done.returncode, told


@pytest.mark.slow
def test_a_run_is_made_again_as_it_was_though_its_documents_have_changed(home: Path) -> None:
    write_project(home, BOARD)
    first = run(home, "recipe.yaml", "--set", "seed=5")
    assert first.code == 0, first.errors
    board = home / "board.yaml"
    board.write_text(
        board.read_text("utf-8").replace("bunny", "dragon").replace("fox", "owl"), "utf-8"
    )
    before = sorted(p.relative_to(home) for p in home.rglob("*"))
    code, told = verified(home, str(first.folder))
    assert code == 0
    outputs = told["outputs"]
    assert isinstance(outputs, list)
    assert {one["state"] for one in outputs} == {"identical"}
    assert {"picture", "sheet"} <= {one["output"] for one in outputs}
    assert sorted(p.relative_to(home) for p in home.rglob("*")) == before


@pytest.mark.slow
def test_a_bundle_is_verified_elsewhere_and_is_the_same_twice(home: Path, tmp_path: Path) -> None:
    write_project(home, BOARD)
    first = run(home, "recipe.yaml")
    for name in ("a.zip", "b.zip"):
        words = ("bundle", str(first.folder), "--out", str(tmp_path / name), "--json")
        packed = lorakit(home, *words)
        assert packed.returncode == 0, packed.stderr
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    names = zipfile.ZipFile(tmp_path / "a.zip").namelist()
    assert {"environment.json", "run/record.json", "run/manifest.json"} <= set(names)
    told = json.loads(packed.stdout)
    assert told["files"] == sorted(names)
    assert told["bytes"] == (tmp_path / told["bundle"]).stat().st_size
    assert "project/recipe.yaml" in names
    # the model is a folder of the user's, which is not packed: what is lacking is told at its place
    (tmp_path / "elsewhere").mkdir()
    done = lorakit(tmp_path / "elsewhere", "verify", str(tmp_path / "a.zip"))
    assert done.returncode == 3
    assert "project/recipe.yaml:4:" in done.stderr
    assert "there is no model at" in done.stderr


def test_a_bundle_holds_the_pictures_that_its_boards_name(home: Path, tmp_path: Path) -> None:
    write_project(home, BOARD)
    names = ("frame.png", "start.png", "bunny.png")
    for number, name in enumerate(names):
        Image.new("RGB", (64, 64), (40 * number, 90, 60)).save(home / name)
    Image.new("RGB", (64, 64)).save(home / "other.png")
    (home / "board.yaml").write_text(
        "storyboard: 1\nlook: {num_inference_steps: 2}\n"
        "characters: {bunny: {anchor: a bunny, reference: bunny.png}}\nscenes:\n"
        "  - {start: start.png, sentences: [{text: a fox, image: frame.png}, The bunny runs]}\n"
    )
    first = run(home, "recipe.yaml")
    assert first.code == 0, first.errors
    target = tmp_path / "a.zip"
    packed = lorakit(home, "bundle", str(first.folder), "--out", str(target))
    assert packed.returncode == 0, packed.stderr
    with zipfile.ZipFile(target) as archive:
        inside = {n.removeprefix("project/") for n in archive.namelist() if n.endswith(".png")}
        assert inside == set(names)
        assert archive.read("project/bunny.png") == (home / "bunny.png").read_bytes()


def test_pictures_are_close_different_or_missing(home: Path) -> None:
    write_project(home, BOARD)
    first = run(home, "recipe.yaml")
    then = past_run.read(first.folder)
    now = past_run.read(first.folder)
    assert {c.state for c in compare(then, now, 40)} == {"identical"}

    manifest = first.folder / "manifest.json"
    told = json.loads(manifest.read_text("utf-8"))
    frame = next(a for a in told["actions"] if a["files"][:1] == [FRAME])
    frame["outputs"]["picture"] = "0" * 64
    told["actions"] = [a for a in told["actions"] if a["kind"] != "contact-sheet"]
    copy = first.folder.with_name("002")
    copy.mkdir()
    for path in first.folder.rglob("*"):
        if path.is_file():
            target = copy / path.relative_to(first.folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    (copy / "manifest.json").write_text(json.dumps(told), "utf-8")
    pixels = np.asarray(Image.open(copy / FRAME), np.int16)
    for by, state in ((1, "close"), (60, "different")):
        Image.fromarray(np.clip(pixels + by, 0, 255).astype(np.uint8)).save(copy / FRAME)
        found = {(c.action, c.output): c for c in compare(then, past_run.read(copy), 40)}
        assert found[frame["id"], "picture"].state == state
        assert found["film/contact-sheet", "sheet"].state == "missing"


@pytest.mark.parametrize("name", ["../evil", "/evil", "project/../../evil", "C:/evil"])
def test_a_bundle_writes_only_into_its_folder(tmp_path: Path, name: str) -> None:
    bundle = tmp_path / "x.zip"
    with zipfile.ZipFile(bundle, "w") as archive:
        archive.writestr("run/record.json", "{}")
        archive.writestr(name, "x")
    with pytest.raises(LorakitError, match="outside"):
        unpack(bundle, tmp_path / "in" / "bundle")
    assert not list(tmp_path.rglob("evil"))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"no zip", "no bundle"),
        (b"", "no bundle"),
        (b"PK\x05\x06" + bytes(18), "no run/record.json"),
    ],
)
def test_what_is_no_bundle_is_told(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "x.zip").write_bytes(data)
    done = lorakit(tmp_path, "verify", "x.zip")
    assert done.returncode != 0
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_is_no_run_is_told(tmp_path: Path) -> None:
    done = lorakit(tmp_path, "verify", ".")
    assert done.returncode != 0
    assert "no run folder" in done.stderr


@pytest.mark.parametrize(
    "request_",
    [
        {"document": "../../../etc/hostname", "paths": {"x": "recipe.yaml"}, "settings": 3},
        {"document": "recipe.yaml", "paths": ["recipe.yaml"]},
        ["recipe.yaml"],
        None,
    ],
)
def test_a_record_that_names_no_document_of_its_own_is_told(
    tmp_path: Path, request_: object
) -> None:
    record = {"recipe": "x", "actions": [], "documents": {"x": "recipe: 1"}, "request": request_}
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("run/record.json", json.dumps(record))
    done = lorakit(tmp_path, "verify", "x.zip")
    assert done.returncode == 1
    assert "does not say how it was made" in done.stderr


def test_a_folder_near_the_top_of_the_disk_has_a_root(tmp_path: Path) -> None:
    (tmp_path / "record.json").write_text("{}")
    assert past_run.read(Path("/") / tmp_path.relative_to("/")).root.is_absolute()
    assert past_run.WholeRun(Path("/"), "x", ()).root == Path("/")
