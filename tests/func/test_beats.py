"""A film that is cut on the beats of its music: a run of pictures of one's own, over clicks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lorakit.diagnostics import InvalidDocument, render_text
from lorakit.plan.film_times import read_times
from lorakit.plan.tasks.beats import BeatsTask
from lorakit.rendering.beats import BeatsError, write_beats
from lorakit.session import load
from tests.support.runs import run
from tests.unit.rendering.test_sound_mix import RATE, write_wav

pytest.importorskip("librosa")
BOARD = """storyboard: 1
scenes:
  - sentences:
      - {text: A fox finds a key, image: red.png, hold: 0.9}
      - {text: An owl looks, image: blue.png, hold: 1.2}
      - {text: A bear sleeps, image: red.png, hold: 2.2}
      - {text: The moon sets, image: blue.png, hold: 1}
video: {fps: 24, MUSIC}
"""
BEAT = 0.5  # s


def clicks(path: Path, seconds: float) -> Path:
    """A click twice a second, the first of them at once."""
    track = np.zeros(round(seconds * RATE), dtype=np.float32)
    noise = np.random.default_rng(0).normal(size=800) * np.exp(-np.arange(800) / 160)
    for number in range(round(seconds / BEAT)):
        first = round(number * BEAT * RATE)
        track[first : first + 800] = 0.5 * noise[: len(track) - first]
    return write_wav(path, track)


@pytest.fixture
def story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".lorakit").mkdir()
    for name in ("red", "blue"):
        Image.new("RGB", (64, 64), name).save(f"{name}.png")
    return tmp_path


@pytest.mark.slow  # librosa compiles
def test_cuts_are_on_beats_to_a_film_frame_and_the_music_begins_anew(story: Path) -> None:
    clicks(story / "song.wav", 4)
    music = "audio: {music: song.wav}, beats: true"
    (story / "board.yaml").write_text(BOARD.replace("MUSIC", music))
    ran = run(story, "board.yaml")
    assert ran.code == 0, ran.errors
    times = read_times((ran.folder / "film" / "film_timing.json").read_text())
    cuts = np.cumsum(times.clips)
    assert cuts[-1] == 22 + 29 + 53 + 24
    for cut, wanted in zip(cuts[:-1], (1.0, 2.0, 4.5), strict=True):
        assert abs(cut - wanted * 24) <= 1
    # another hold, and the beats of the song are known
    (story / "board.yaml").write_text(BOARD.replace("MUSIC", music).replace("0.9", "1.4"))
    manifest = json.loads((run(story, "board.yaml").folder / "manifest.json").read_text())
    outcomes = {one["id"]: one["outcome"] for one in manifest["actions"]}
    assert outcomes["film/film_beats"] == "cached"
    assert outcomes["film/film_timing"] == "made"


@pytest.mark.slow
def test_a_beat_that_comes_too_late_is_told_in_the_run_and_from_then_on_in_the_plan(
    story: Path,
) -> None:
    clicks(story / "song.wav", 4)
    board = BOARD.replace("MUSIC", "audio: {music: song.wav}, beats: true")
    board = board.replace("hold: 0.9", "hold: 0.2").replace("hold: 1.2", "hold: 0.1")
    (story / "board.yaml").write_text(board.replace("hold: 2.2", "hold: 2.2, at: 0.4"))
    ran = run(story, "board.yaml")
    assert ran.code == 1
    said = " ".join(one.get("detail") or "" for one in ran.events)
    wrong = "error[timing]: the next beat to cut on is 0.50 s away, and what follows leaves 0.38 s"
    assert f"board.yaml:5:16: {wrong}" in said
    with pytest.raises(InvalidDocument) as caught:
        load("board.yaml").plan()
    assert f"board.yaml:5:16: {wrong}" in render_text(caught.value.diagnostics)


@pytest.mark.slow
def test_a_song_without_beats_is_told_where_they_are_asked_for(tmp_path: Path) -> None:
    song = write_wav(tmp_path / "still.wav", np.zeros(2 * RATE, dtype=np.float32))
    task = BeatsTask("digest", str(song), "board.yaml:9:3")
    with pytest.raises(BeatsError, match=r"board\.yaml:9:3: .*still\.wav has no beats"):
        list(write_beats(tmp_path / "beats.json", task, {}))


def test_beats_of_no_music_are_an_error(story: Path) -> None:
    (story / "board.yaml").write_text(BOARD.replace("MUSIC", "beats: true"))
    with pytest.raises(InvalidDocument) as caught:
        load("board.yaml").check()
    text = render_text(caught.value.diagnostics)
    assert "board.yaml:8:25: error[no-music]" in text
