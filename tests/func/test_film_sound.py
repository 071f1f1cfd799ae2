"""A film that is heard: what is made again when something of it changes. Real runs, of pictures of one's own."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import imageio_ffmpeg
import pytest
from PIL import Image

from lorakit.diagnostics import InvalidDocument, render_text
from lorakit.session import load
from tests.support.runs import Ran, run

BOARD = """storyboard: 1
scenes:
  - name: one
    sentences:
      - {text: A fox finds a key, image: red.png, hold: 1}
      - {text: An owl looks, image: blue.png, hold: 0.5}
video: {fps: 24, hold: 1, captions: true, AUDIO}
"""
MUSIC = "audio: {music: song.ogg, fade_out: 0.2}"


@pytest.fixture
def story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".lorakit").mkdir()
    for name in ("red", "blue"):
        Image.new("RGB", (64, 64), name).save(f"{name}.png")
    make_song("song.ogg", 440)
    write(tmp_path, MUSIC)
    return tmp_path


def make_song(name: str, pitch: int, seconds: float = 1.0) -> None:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-y", "-f", "lavfi"]
    subprocess.run([*command, "-i", f"sine={pitch}:d={seconds}", name], check=True)


def write(home: Path, audio: str, board: str = BOARD) -> None:
    (home / "board.yaml").write_text(board.replace("AUDIO", audio))


def made(home: Path) -> set[str]:
    ran: Ran = run(home, "board.yaml")
    assert ran.code == 0, ran.errors
    manifest = json.loads((ran.folder / "manifest.json").read_text())
    return {one["id"] for one in manifest["actions"] if one["outcome"] == "made"}


def probed(film: Path) -> dict[str, dict[str, str]]:
    entries = "stream=codec_type,codec_name,duration,nb_frames,sample_rate,channels"
    told = subprocess.run(
        ["ffprobe", "-v", "error", "-of", "json", "-show_entries", entries, str(film)],
        capture_output=True,
        check=True,
    )
    return {one["codec_type"]: one for one in json.loads(told.stdout)["streams"]}


@pytest.mark.slow
def test_changing_the_music_draws_nothing_and_encodes_no_picture(story: Path) -> None:
    everything = made(story)
    assert {"film/film_pictures", "film/film_sound", "film/film"} <= everything
    film = story / "outputs" / "board" / "001" / "film" / "film.mp4"
    streams = probed(film)
    assert streams["video"]["nb_frames"] == "36"
    assert streams["audio"]["codec_name"] == "aac"
    assert float(streams["audio"]["duration"]) == pytest.approx(1.5, abs=0.001)
    sound = {"film/film_sound", "film/film"}
    write(story, MUSIC.replace("fade_out: 0.2", "gain: -9"))
    assert made(story) == sound
    make_song("song.ogg", 220)
    assert made(story) == sound
    # without sound the film is made of its pictures, which are there
    write(story, "notes: silent")
    assert made(story) == {"film/film"}
    # another caption is drawn into the pictures, and its sound is there
    write(story, MUSIC)
    made(story)
    board = (story / "board.yaml").read_text().replace("An owl looks,", "An owl sleeps,")
    (story / "board.yaml").write_text(board)
    changed = {"film/film_pictures", "film/film", "film/contact-sheet"}
    assert made(story) == changed | {"film/film_subtitles"}


def test_music_that_may_not_loop_lasts_as_long_as_the_film(story: Path) -> None:
    write(story, MUSIC.replace("fade_out: 0.2", "loop: false"))
    with pytest.raises(InvalidDocument) as caught:
        load("board.yaml").check()
    text = render_text(caught.value.diagnostics)
    assert "board.yaml:7:" in text
    assert "error[timing]: the music lasts 1.00 s, and the film 1.50 s" in text
    make_song("song.ogg", 440, 1.6)
    load("board.yaml").check()
