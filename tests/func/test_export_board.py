"""`lorakit export board` after a run: the pictures of the run, wherever the documents stand."""

from __future__ import annotations

import csv
import io
import shutil
from pathlib import Path
from urllib.parse import unquote, urlparse

import opentimelineio as otio
import pytest
from pypdf import PdfReader

from tests.support.boards import board_text, write_project
from tests.support.runs import lorakit, run

BOARD = board_text([("one", ["a fox finds a key", "a fox holds a key"])], steps=2)


@pytest.fixture
def parted(home: Path) -> Path:
    """Documents in a project of their own, worked with from another one: the home of outputs."""
    story = home.parent / "story"
    (story / ".lorakit").mkdir(parents=True)
    shutil.move(home / "tiny", story / "tiny")
    write_project(story, BOARD)
    return story


@pytest.fixture
def together(home: Path) -> Path:
    """Documents where outputs go."""
    write_project(home, BOARD)
    return home


@pytest.mark.parametrize("where", ["together", "parted"])
def test_pictures_are_the_last_runs(home: Path, where: str, request: pytest.FixtureRequest) -> None:
    recipe = request.getfixturevalue(where) / "recipe.yaml"
    made = run(home, str(recipe))
    assert made.code == 0, made.errors
    assert made.folder.is_relative_to(home)
    drawn = [str(made.folder / name) for name in made.pictures()]
    assert len(drawn) == 2

    for style in ("otio", "csv", "pdf"):
        out = f"board.{style}"
        done = lorakit(home, "export", "board", str(recipe), "--format", style, "-o", out)
        assert done.returncode == 0, done.stderr
        assert "no-picture" not in done.stderr

    timeline = otio.adapters.read_from_file(str(home / "board.otio"))
    targets = [clip.media_reference.target_url for clip in timeline.find_clips()]
    assert [unquote(urlparse(one).path) for one in targets] == drawn
    text = (home / "board.csv").read_text("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [str(home / row["picture"]) for row in rows] == drawn
    assert len(PdfReader(home / "board.pdf").pages) == 1


def test_a_folder_beside_the_runs_is_none_of_them(home: Path, together: Path) -> None:
    made = run(home, "recipe.yaml")
    for told in ("..", "../..", "x", "", "001/../001", str(home), "\0"):
        (made.folder.parent / "latest.txt").write_text(told)
        for name in ("x", ".."):
            (made.folder.parent / name).mkdir(exist_ok=True)
            (made.folder.parent / name / "manifest.json").write_text('{"actions": []}')
        done = lorakit(home, "export", "board", "recipe.yaml", "--format", "csv", "--force")
        assert done.returncode == 0, done.stderr
        assert "no-picture" not in done.stderr, told
