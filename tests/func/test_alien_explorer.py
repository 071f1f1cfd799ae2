"""The shipped film that moves, speaks and has music: its parts in a plan, and what comes of a run."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from lorakit import resources
from tests.support.runs import lorakit, run
from tests.unit.rendering.test_sound_mix import RATE, heard

ROOT = Path(__file__).parents[2]
SONG = Path("storyboards/music/red-planet.ogg")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    lorakit(tmp_path, "init")
    shutil.copy(resources.path("recipes") / "alien-explorer.yaml", tmp_path / "recipes")
    return tmp_path


@pytest.mark.slow
def test_the_music_is_what_its_script_composes_and_begins_where_it_ends() -> None:
    script = ROOT / "scripts" / "make_music.py"
    told = importlib.util.spec_from_file_location("make_music", script)
    assert told is not None
    assert told.loader is not None
    composer = importlib.util.module_from_spec(told)
    told.loader.exec_module(composer)
    wanted, found = composer.composed(), heard(ROOT / SONG)[:, 0]
    assert len(found) == len(wanted) == 24 * RATE
    assert np.corrcoef(wanted, found)[0, 1] > 0.95
    assert (ROOT / SONG).stat().st_size < 100_000
    # no step from the end to the beginning that is not everywhere
    steps = np.abs(np.diff(found[-100:], append=found[:100]))
    assert steps[-101:].max() < np.abs(np.diff(found)).max()


def test_its_film_has_all_that_films_can_have(project: Path) -> None:
    planned = json.loads(lorakit(project, "plan", "recipes/alien-explorer.yaml", "--json").stdout)
    kinds = Counter(one["kind"] for one in planned["actions"])
    assert kinds["passing"] == 2, "morphs"
    assert kinds["kenburns"] == 9
    assert (kinds["sound-mix"], kinds["finished-film"]) == (1, 1)
    assert kinds["speech"] == (11 if shutil.which("espeak-ng") else 0)
    assert kinds["frame"] == 11 + 2 * 7


@pytest.mark.slow  # twenty-five pictures of the studio's, and a film of half a minute
def test_it_is_made_as_it_ships(project: Path) -> None:
    done = run(project, "recipes/alien-explorer.yaml", "--draft")
    assert done.code == 0, done.errors
    film = Path(done.finished["film"])
    entries = "stream=codec_type,duration,width,height,nb_frames"
    told = subprocess.run(
        ["ffprobe", "-v", "error", "-of", "json", "-show_entries", entries, str(film)],
        capture_output=True,
        check=True,
    )
    video, audio = json.loads(told.stdout)["streams"][:2]
    assert (video["codec_type"], audio["codec_type"]) == ("video", "audio")
    assert (video["width"], video["height"]) == (720, 720)
    assert float(video["duration"]) == pytest.approx(float(audio["duration"]), abs=0.03)
    sound = heard(film)
    assert 0.05 < np.abs(sound).max() <= 1
    # it is heard from the first second to the last but the end of its fade
    for second in range(1, int(float(audio["duration"])) - 1):
        assert np.abs(sound[second * RATE : (second + 1) * RATE]).max() > 0.005
