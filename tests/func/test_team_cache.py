"""A cache that a team shares: what one has made, another does not. Real runs of a tiny model."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.boards import board_text, sentences, write_project
from tests.support.runs import lorakit, run

SCENES = [("one", sentences(1, 3)), ("two", sentences(2, 2))]


@pytest.fixture
def clone(home: Path, tmp_path: Path) -> Callable[[str], Path]:
    """A fresh clone of the project: documents and model, and nothing that was made."""

    def make(name: str) -> Path:
        there = tmp_path / name
        there.mkdir()
        (there / ".lorakit").mkdir()
        for one in home.iterdir():
            if one.name not in (".lorakit", "outputs"):
                (shutil.copytree if one.is_dir() else shutil.copy)(one, there / one.name)
        return there

    return make


def told(home: Path, *words: str) -> dict:
    done = lorakit(home, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def notes(ran) -> list[str]:
    return [e["text"] for e in ran.events if e["type"] == "note"]


def object_of(cache: Path, digest: str) -> Path:
    return cache / "objects" / digest[:2] / digest[2:]


@pytest.mark.slow
def test_a_fresh_clone_with_a_warm_cache_draws_nothing(
    home: Path, clone: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "shared"
    write_project(home, board_text(SCENES))
    monkeypatch.setenv("LORAKIT_CACHE", str(cache))
    first = run(home)
    assert first.code == 0, first.errors
    assert len(first.made("frame")) == 5
    assert any(text.startswith("sent ") for text in notes(first))

    theirs = clone("theirs")
    plan = told(theirs, "plan", "--json")
    # the film's pictures are nothing by themselves: the film is there
    assert plan["counts"]["remote"] == len(first.made()) - 1
    assert plan["to_make"] == 0
    assert plan["cache"]["bytes"] == sum(action["fetch"] for action in plan["actions"]) > 0
    shown = lorakit(theirs, "plan").stdout
    assert f"cache   {cache}: " in shown
    assert "to fetch for" in shown
    second = run(theirs)
    assert second.code == 0, second.errors
    assert second.made() == []
    assert second.calls == {}
    assert second.pictures() == first.pictures()
    film = "film/film.mp4"
    assert (second.folder / film).read_bytes() == (first.folder / film).read_bytes()
    assert any(text.startswith("fetched ") for text in notes(second))

    # what is changed there is drawn there, from what came and what is fetched for it, and sent
    lines = list(SCENES[0][1])
    lines[2] = "a robot rides a rocket on mars"
    for project in (home, theirs):
        write_project(project, board_text([("one", lines), SCENES[1]]))
    third = run(theirs)
    assert third.code == 0, third.errors
    assert third.made("frame") == ["film/one/3"]
    back = run(home)
    assert back.made() == []
    assert back.pictures() == third.pictures()

    status = told(home, "cache", "status", "--json")
    assert status["unsent"] == 0
    assert status["results"] == len(first.made()) + len(third.made())


@pytest.mark.slow
def test_what_is_damaged_is_made_again_and_sent_again(
    home: Path, clone: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "shared"
    write_project(home, board_text(SCENES, video=""))
    first = run(home)
    monkeypatch.setenv("LORAKIT_CACHE", str(cache))
    sent = told(home, "cache", "push", "--json")
    assert sent["results"] == len(first.made())
    assert sent["left"] == 0

    frames = {a["id"]: a["outputs"] for a in first.manifest["actions"]}
    flipped = object_of(cache, frames["film/one/2"]["picture"])
    data = bytearray(flipped.read_bytes())
    data[len(data) // 2] ^= 1
    flipped.write_bytes(data)
    object_of(cache, frames["film/two/1"]["picture"]).unlink()

    theirs = clone("theirs")
    second = run(theirs)
    assert second.code == 0, second.errors
    assert second.made("frame") == ["film/one/2", "film/two/1"]
    assert second.pictures() == first.pictures()
    said = " ".join(notes(second))
    assert "is damaged" in said
    assert "is not there" in said
    # whoever comes next finds it whole
    third = run(clone("thirds"))
    assert third.made() == []
    assert third.pictures() == first.pictures()


@pytest.mark.slow
def test_a_cache_that_is_not_there_costs_a_warning(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_project(home, board_text(SCENES[1:], video=""))
    monkeypatch.setenv("LORAKIT_CACHE", str(tmp_path / "not" / "mounted"))
    ran = run(home)
    assert ran.code == 0, ran.errors
    assert len(ran.made("frame")) == 2
    assert any("cannot be used now" in text for text in notes(ran))
    assert not (tmp_path / "not").exists()
