"""The README's first command, with the model that ships, in a folder that `lorakit init` made."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from tests.support.runs import lorakit, run, run_alone


def test_the_quickstart_draws_scenes_and_a_film(tmp_path: Path) -> None:
    assert lorakit(tmp_path, "init").returncode == 0
    planned = json.loads(lorakit(tmp_path, "plan", "recipes/quickstart.yaml", "--json").stdout)
    done = run_alone(tmp_path, "recipes/quickstart.yaml")
    assert done.code == 0, done.errors
    assert done.finished["made"] == len(planned["actions"])
    assert done.finished["film"].endswith("film/film.mp4")
    first = next(e for e in done.events if e.get("picture"))
    assert first["at"] < done.finished["seconds"]

    from imageio_ffmpeg import count_frames_and_secs

    frames, seconds = count_frames_and_secs(done.finished["film"])
    assert abs(frames / 24 - seconds) < 0.1
    assert frames == next(a for a in planned["actions"] if a["id"] == "film/film")["units"]

    # pictures, not noise and not one colour: neighbours are alike, the whole is not
    for path in sorted(done.folder.glob("film/frames_scene_*/*.png")):
        pixels = np.asarray(Image.open(path).convert("L"), dtype=float)
        assert pixels.shape == (128, 128)
        assert pixels.std() > 15
        assert np.abs(np.diff(pixels, axis=1)).mean() < 0.5 * pixels.std()

    again = run(tmp_path, "recipes/quickstart.yaml")
    assert again.made() == []
    assert again.pictures() == done.pictures()


def test_a_storyboard_alone_is_runnable(tmp_path: Path) -> None:
    lorakit(tmp_path, "init")
    done = run(tmp_path, "storyboards/gurukul.yaml", "--draft")
    assert done.code == 0, done.errors
    assert done.finished["film"]
