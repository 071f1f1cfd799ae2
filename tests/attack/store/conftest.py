"""A project whose store is full: what these attacks damage is a copy of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.runs import Ran, run
from tests.support.small_projects import write_film


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, tiny_sd: Path) -> Ran:
    """A film of three frames, each drawn from the one before."""
    home = tmp_path_factory.mktemp("made")
    (home / ".lorakit").mkdir()
    write_film(home, tiny_sd)
    done = run(home)
    assert done.code == 0, done.errors
    return done


@pytest.fixture
def home(made: Ran, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that project; the current folder."""
    project = tmp_path / "project"
    shutil.copytree(made.folder.parents[2], project, symlinks=True)
    monkeypatch.chdir(project)
    return project
