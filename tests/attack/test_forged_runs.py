"""Run folders that are forged, damaged or no runs, and bundles of them: what is read, packed and removed."""

from __future__ import annotations

import json
import os
import random
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.attack.commands import lorakit
from tests.attack.test_ends import told
from tests.attack.test_mutated_files import bent, flipped
from tests.support.past_runs import film

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links, and names of pipes")
LOOKS = [["runs"], ["runs", "--json"], ["status"], ["status", "--json"], ["gc", "--runs-older", "1h"],
         ["gc", "--json"], ["runs", "rm", "story/001"], ["report", "1"], ["bundle", "1", "--out", "b.zip"]]  # fmt: skip


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a run of two scenes; the current folder."""
    project = tmp_path / "project"
    (project / ".lorakit").mkdir(parents=True)
    made = film(project / "outputs" / "story" / "001", 2, 2)
    began = {
        "type": "run-started",
        "at": 0.0,
        "recipe": "story",
        "began": "2026-11-26T10:36:00+00:00",
    }
    events = made / "events.jsonl"
    events.write_text(json.dumps(began) + "\n" + events.read_text())
    monkeypatch.chdir(project)
    return project


def _change(file: Path, **values: Any) -> None:
    data = json.loads(file.read_text())
    file.write_text(json.dumps({**data, **values}))


def _line_bent(data: bytes, chance: random.Random) -> bytes:
    lines = data.splitlines()
    at = chance.choice([0, len(lines) - 1, chance.randrange(len(lines))])
    lines[at] = bent(lines[at], chance)
    return b"\n".join(lines) + b"\n"


@pytest.mark.parametrize(
    "seeds", [range(8), *(pytest.param(range(n, n + 50), marks=pytest.mark.slow) for n in (8, 58))]
)
def test_whatever_a_run_folder_says_is_read_or_told_of(home: Path, seeds: range) -> None:
    run = home / "outputs" / "story" / "001"
    bends = {"manifest.json": bent, "record.json": bent, "events.jsonl": _line_bent}
    kept = {name: (run / name).read_bytes() for name in bends}
    for seed in seeds:
        chance = random.Random(seed)
        for name, data in kept.items():
            (run / name).write_bytes(data)
        for name in chance.sample(sorted(bends), chance.choice([1, 1, 2, 3])):
            bend = chance.choice([bends[name], bends[name], flipped])
            (run / name).write_bytes(bend(kept[name], chance))
        for words in LOOKS:
            said = lorakit(*words)
            told(said.text)
            assert said.code in (0, 1), (seed, words, said.text)


@pytest.mark.parametrize(
    "line",
    [
        '{"type": "run-finished", "ending": "done", "seconds": 1%s}' % ("0" * 400),
        '{"type": "run-finished", "ending": "done", "seconds": NaN}',
        '{"type": "run-finished", "ending": "done", "seconds": Infinity, "made": -1e400}',
        '{"type": "run-finished", "ending": "done", "seconds": 1, "made": 1%s}' % ("0" * 5000),
        '{"type": "run-started", "began": "0001-01-01T00:00:00"}',
        '{"type": "run-started", "began": "9999-12-31T23:59:59-23:59"}',
        '{"key": []}',
        '{"type": "action-finished", "action": ["film"], "key": {"a": 1}}',
        "\xff\xfe".encode("latin-1").decode("latin-1"),
    ],
)
@pytest.mark.parametrize("alone", [True, False])
def test_events_of_impossible_values_are_passed_over(home: Path, line: str, alone: bool) -> None:
    events = home / "outputs" / "story" / "001" / "events.jsonl"
    data = line.encode("latin-1") + b"\n"
    events.write_bytes(data if alone else data + events.read_bytes() + data)
    (events.parent / "manifest.json").unlink()
    for words in LOOKS:
        said = lorakit(*words)
        told(said.text)
        assert said.code in (0, 1), said.text


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("odd", [_pipe, _endless, Path.mkdir], ids=["pipe", "endless", "folder"])
@pytest.mark.parametrize(
    "name", ["events.jsonl", "manifest.json", "record.json", "run.log", ".keep", "../latest.txt"]
)
def test_what_is_no_file_in_a_run_folder_is_not_waited_for(
    home: Path, odd: Callable[[Path], None], name: str
) -> None:
    path = home / "outputs" / "story" / "001" / name
    path.unlink(missing_ok=True)
    odd(path)
    for words in LOOKS:
        said = lorakit(*words)
        told(said.text)
        assert said.code in (0, 1), said.text


@pytest.mark.parametrize(
    "beside", [None, "events.jsonl", "run.log", "manifest.json"], ids=lambda name: name or "photos"
)
def test_a_folder_of_a_number_that_is_no_run_is_left(home: Path, beside: str | None) -> None:
    photos = home / "outputs" / "photos" / "2019"
    photos.mkdir(parents=True)
    (photos / "mine.png").write_bytes(b"mine")
    if beside:
        (photos / beside).write_text("something of another program\n")
    (home / "outputs" / "photos" / "2024").mkdir()
    assert "photos" not in lorakit("runs").text
    assert lorakit("runs", "rm", "photos/2019", "--yes").code == 1
    assert lorakit("runs", "rm", "outputs/photos/2019", "--yes").code == 1
    assert lorakit("gc", "--runs-older", "1h", "--yes").code == 0
    assert (photos / "mine.png").exists()
    assert (home / "outputs" / "photos" / "2024").is_dir()


@pytest.mark.parametrize("part", ["objects", "actions", "checkpoints", "tmp", "locks"])
def test_gc_clears_no_folder_that_a_link_leads_to(home: Path, tmp_path: Path, part: str) -> None:
    mine = tmp_path / "mine"
    for name in (
        "ab/" + "c" * 62,
        "ab/" + "c" * 62 + ".json",
        "d" * 64 + "/step",
        "e" * 32 + "/file",
    ):
        (mine / name).parent.mkdir(parents=True, exist_ok=True)
        (mine / name).write_text("mine")
        os.utime(mine / name, (0, 0))
    (mine / ("e" * 32 + ".lock")).write_text("mine")
    before = {path: path.is_dir() or path.read_text() for path in mine.rglob("*")}
    (home / ".lorakit" / part).symlink_to(mine)
    for words in (["gc"], ["gc", "--yes"]):
        said = lorakit(*words)
        assert said.code == 1
        assert f".lorakit/{part} is a link: remove it" in said.text
    assert {path: path.is_dir() or path.read_text() for path in mine.rglob("*")} == before


# -- bundles ------------------------------------------------------------------------------------------


def _request(home: Path, **values: Any) -> Path:
    run = home / "outputs" / "story" / "001"
    _change(run / "record.json", request={"document": "board.yaml", "paths": {}, **values})
    return run


@pytest.mark.parametrize("name", ["/etc/passwd", "../secret", "/etc", "x\0y", "a" * 5000, ""])
def test_a_record_has_no_file_from_elsewhere_packed(home: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "secret").write_text("a secret")
    _request(home, adapters=[name])
    said = lorakit("bundle", "1", "--out", "b.zip")
    told(said.text)
    assert said.code in (0, 1)
    if said.code == 0:
        assert not [n for n in zipfile.ZipFile("b.zip").namelist() if n.startswith("project/")]


def test_only_what_adapters_are_made_of_is_packed(home: Path, tmp_path: Path) -> None:
    for name in (
        "keys",
        "adapters/a.safetensors",
        "adapters/adapter_config.json",
        "adapters/notes",
    ):
        (tmp_path / "other" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "other" / name).write_text("x")
    _request(home, root="../other", adapters=["keys", "adapters"])
    assert lorakit("bundle", "1", "--out", "b.zip").code == 0
    packed = [n for n in zipfile.ZipFile("b.zip").namelist() if n.startswith("project/")]
    assert packed == ["project/adapters/a.safetensors", "project/adapters/adapter_config.json"]


@pytest.mark.parametrize("where", ["run", "project"])
def test_a_link_out_of_a_run_is_not_packed(home: Path, tmp_path: Path, where: str) -> None:
    (tmp_path / "secret").write_text("a secret")
    if where == "run":
        picture = home / "outputs" / "story" / "001" / "film" / "frames_scene_1" / "frame_001.png"
        picture.unlink()
        picture.symlink_to(tmp_path / "secret")
    else:
        (home / "a.safetensors").symlink_to(tmp_path / "secret")
        _request(home, adapters=["a.safetensors"])
    said = lorakit("bundle", "1", "--pictures", "--out", "b.zip")
    told(said.text)
    assert said.code == 1
    assert "it is a link that leaves the project" in said.text
    assert sorted(path.name for path in home.iterdir()) == sorted(
        [".lorakit", "outputs", *(["a.safetensors"] if where == "project" else [])]
    )


def test_a_link_beside_a_bundle_is_not_written_through(home: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    for name in (".b.zip.tmp", "b.zip"):
        (home / name).symlink_to(victim)
    assert lorakit("bundle", "1", "--out", "b.zip").code == 0
    assert victim.read_text() == "mine"
    assert zipfile.is_zipfile(home / "b.zip")


@pytest.mark.parametrize("where", ["absolute", "above"])
def test_a_bundle_names_no_folder_of_this_machine_its_project(
    home: Path, tmp_path: Path, where: str
) -> None:
    (tmp_path / "private").mkdir()
    document = str(tmp_path / "private" / "x.yaml") if where == "absolute" else "../../../x.yaml"
    record = {
        "recipe": "x",
        "actions": [],
        "documents": {"x": "recipe: 1\ndatasets: {d: {images: .}}\nsteps: {s: {kind: train-image, data: d}}\n"},
        "request": {"document": document, "paths": {"x": document}},
    }  # fmt: skip
    with zipfile.ZipFile("b.zip", "w") as archive:
        archive.writestr("run/record.json", json.dumps(record))
    said = lorakit("verify", "b.zip")
    told(said.text)
    assert said.code == 1
    assert "does not say how it was made" in said.text
    assert "is outside of it" in said.text


def test_documents_of_a_bundle_may_lie_in_folders(home: Path) -> None:
    """Beside each other, as `lorakit init` puts them: the project is what holds them all."""
    board = "storyboard: 1\nvideo: false\nscenes:\n  - text: A fox finds a key.\n"
    recipe = "recipe: 1\nsteps: {f: {kind: storyboard, storyboard: ../boards/b.yaml, model: no}}\n"
    names = {"recipes/r.yaml": recipe, "boards/b.yaml": board}
    record = {
        "recipe": "r",
        "actions": [],
        "documents": names,
        "request": {"document": "recipes/r.yaml", "paths": {name: name for name in names}},
    }
    with zipfile.ZipFile("b.zip", "w") as archive:
        archive.writestr("run/record.json", json.dumps(record))
        for name, text in names.items():
            archive.writestr(f"project/{name}", text)
    said = lorakit("verify", "b.zip")
    assert said.code == 3
    assert "outside-root" not in said.text
    assert "there is no model no" in said.text or "error[" in said.text


# -- init ---------------------------------------------------------------------------------------------


def test_init_writes_through_no_link_and_waits_for_no_pipe(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "given", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    (folder / ".pre-commit-config.yaml").symlink_to(elsewhere / "not-there")
    (folder / ".vscode").symlink_to(elsewhere)
    (folder / "recipes").symlink_to(elsewhere)
    os.mkfifo(folder / ".gitignore")
    said = lorakit("init", str(folder))
    told(said.text)
    assert said.code == 0, said.text
    assert "its folder is a link that leads elsewhere" in said.text
    assert list(elsewhere.iterdir()) == []
    assert (folder / "storyboards").is_dir()


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    ["roots: {far: ~nobody-of-this-name/x}", 'roots: {far: "a\\0b"}', "a: " + "9" * 5000, "[" * 9000, "\udcff"],
    ids=["user", "NUL", "digits", "deep", "bytes"],
)  # fmt: skip
def test_an_odd_user_config_is_told(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    config = tmp_path / "config" / "lorakit" / "config.yaml"
    config.parent.mkdir(parents=True)
    config.write_bytes(text.encode(errors="surrogateescape"))
    (home / "b.yaml").write_text("storyboard: 1\nextends: far:x.yaml\nscenes:\n  - text: A fox.\n")
    (home / "r.yaml").write_text("recipe: 1\nextends: far:x.yaml\nsteps: {}\n")
    said = lorakit("validate", "r.yaml")
    told(said.text)
    assert said.code == 3, said.text
    assert "config" in said.text
