"""Which smaller calls give the same bits is found once for a machine, not once for a project."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.boards import board_text, write_project
from tests.support.runs import run


def test_a_second_project_tries_nothing_that_the_first_one_found(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    other = tmp_path / "other"
    (other / ".lorakit").mkdir(parents=True)
    shutil.copytree(home / "tiny", other / "tiny")
    board = board_text([("meadow", ["A fox finds a golden key."])], steps=12)
    drawn = []
    for folder in (home, other):
        write_project(folder, board)
        drawn.append(run(folder))
    first, second = drawn
    assert first.finished["calls"]["unet_trials"] > 0
    assert "unet_trials" not in second.finished["calls"]
    assert second.pictures() == first.pictures()
    assert not list(home.glob(".lorakit/**/widths.json"))
