"""The end of a week in git: what was drawn is locked, made again to the same bytes, cleared up, and still there."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.support.boards import board_text, sentences, write_project
from tests.support.repositories import commit, git, init
from tests.support.runs import lorakit, run

LINES = sentences(1, 3)


@pytest.mark.slow
def test_a_week_ends_locked_verified_and_cleared(home: Path, tmp_path: Path) -> None:
    (home / ".gitignore").write_text("tiny/\noutputs/\n.lorakit/\n")
    write_project(home, board_text([("one", LINES)]))
    init(home)
    commit(home)
    first = run(home)
    assert first.code == 0, first.errors

    # two branches edit a sentence each, and are merged
    for branch, line in (("left", 0), ("right", 2)):
        git(home, "checkout", "-q", "-b", branch, "main" if line == 0 else "left~1")
        board = home / "board.yaml"
        board.write_text(board.read_text().replace(LINES[line], f"{LINES[line]} at night"))
        commit(home)
    git(home, "merge", "-q", "--no-edit", "left")
    told = json.loads(lorakit(home, "diff", "--json", "main..HEAD").stdout)
    (document,) = told["documents"]
    drawn = {a["id"] for a in document["actions"] if a["became"] == "drawn again"}
    assert drawn >= {"film/one/1", "film/one/3"}
    second = run(home)
    assert len(second.made()) == document["to_make"]

    # the model is a folder of the user's: nothing here could move
    assert "nothing to lock" in lorakit(home, "lock").stdout
    assert run(home, "recipe.yaml", "--locked").code == 0

    verified = json.loads(lorakit(home, "verify", str(second.folder), "--json").stdout)
    assert set(verified["counts"]) == {"identical"}

    # only the last run is kept: what the first alone had goes, and what stays is whole
    before = sorted(p.name for p in (home / ".lorakit").rglob("*") if p.is_file())
    shutil.rmtree(first.folder)
    dry = lorakit(home, "gc")
    assert dry.returncode == 0, dry.stderr
    assert sorted(p.name for p in (home / ".lorakit").rglob("*") if p.is_file()) == before
    cleared = lorakit(home, "gc", "--yes")
    assert cleared.returncode == 0, cleared.stderr
    assert len([p for p in (home / ".lorakit").rglob("*") if p.is_file()]) < len(before)
    again = run(home)
    assert again.made() == []
    assert again.folder == second.folder

    # a colleague's clone, without store and outputs, comes to the same bytes
    theirs = tmp_path / "theirs"
    git(home, "clone", "-q", str(home), str(theirs))
    shutil.copytree(home / "tiny", theirs / "tiny")
    same = run(theirs)
    assert same.code == 0, same.errors
    assert same.pictures() == second.pictures()
