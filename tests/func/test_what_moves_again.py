"""A film that moves: what each change draws and animates again, counted in real runs."""

from __future__ import annotations

import subprocess
from collections import Counter
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image

from tests.support.runs import Ran, run
from tests.support.small_projects import write_one_film

# a still lies in two clips: in its own, and at the end of the one before
STILLS = """storyboard: 1
motion: interpolate
scenes:
  - name: one
    sentences:
      - {text: A fox finds a key, image: 0.png}
      - {text: A fox holds a key, image: 1.png}
      - {text: A fox sleeps, image: 2.png}
      - {text: A fox runs, image: 3.png}
video: {fps: 12, hold: 0.5, captions: true, audio: {music: song.ogg}}
"""
DRAWN = """storyboard: 1
look: {num_inference_steps: 2}
chain: {from: noise}
motion: {kind: morph, frames: 2}
scenes:
  - name: one
    sentences: [A fox finds a key, A fox holds a key, A fox meets an owl, A robot finds a door]
video: {fps: 12, hold: 0.5, captions: true, audio: {music: song.ogg}}
"""
CHANGES = {
    "a caption": ("A fox runs", "A fox runs, caption: Away"),
    "the captions": ("captions: true", "captions: {position: top}"),
    "the music": ("song.ogg", "other.ogg"),
    "how loud it is": ("{music: song.ogg}", "{music: song.ogg, gain: -6}"),
    "a cut": ("hold: 0.5,", "hold: 0.5, transition: {kind: crossfade, seconds: 0.2},"),
    "the film's size": ("fps: 12,", "fps: 12, height: 48,"),
}


def make_song(file: Path, pitch: int) -> None:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-y", "-f", "lavfi"]
    subprocess.run([*command, "-i", f"sine={pitch}:d=1", str(file)], check=True)


def draw(file: Path, seed: int) -> None:
    small = np.random.default_rng(seed).integers(0, 255, (8, 8, 3), dtype=np.uint8)
    Image.fromarray(small).resize((64, 64), Image.Resampling.BICUBIC).save(file)


@pytest.fixture
def story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".lorakit").mkdir()
    make_song(tmp_path / "song.ogg", 440)
    make_song(tmp_path / "other.ogg", 330)
    for number in range(4):
        draw(tmp_path / f"{number}.png", number)
    return tmp_path


def counted(home: Path, board: str, document: str = "board.yaml") -> tuple[Counter[str], set[str]]:
    """How many actions of each kind a run makes, and which clips."""
    (home / "board.yaml").write_text(board)
    ran: Ran = run(home, document)
    assert ran.code == 0, ran.errors
    kinds = {one["id"]: one["kind"] for one in ran.manifest["actions"]}
    made = ran.made()
    return Counter(kinds[id_] for id_ in made), {id_ for id_ in made if id_.endswith("/motion")}


def still(*counts: Counter[str]) -> bool:
    """Whether nothing was drawn, and nothing animated."""
    return not any(one[kind] for one in counts for kind in ("frame", "painted", "passing"))


def test_captions_music_and_cuts_move_nothing_and_a_still_its_two_clips(story: Path) -> None:
    first, _ = counted(story, STILLS)
    assert (first["painted"], first["passing"]) == (4, 3)
    for name in ("a caption", "the music", "a cut"):
        before, after = CHANGES[name]
        assert before in STILLS
        made, _ = counted(story, STILLS.replace(before, after))
        assert still(made), name
        assert made, name
    counted(story, STILLS)
    draw(story / "2.png", 9)
    made, again = counted(story, STILLS)
    assert (made["painted"], made["passing"]) == (1, 2)
    assert again == {"film/one/2/motion", "film/one/3/motion"}


@pytest.mark.slow  # fifteen frames of the tiny model
def test_of_frames_that_are_drawn_as_well(story: Path, tiny_sd: Path) -> None:
    write_one_film(story, tiny_sd, DRAWN)
    first, _ = counted(story, DRAWN, "recipe.yaml")
    assert (first["frame"], first["passing"]) == (4 + 3 * 2, 3)
    for name, (before, after) in CHANGES.items():
        if before not in DRAWN:
            continue
        made, _ = counted(story, DRAWN.replace(before, after), "recipe.yaml")
        assert still(made), name
    counted(story, DRAWN, "recipe.yaml")
    made, again = counted(story, DRAWN.replace("meets an owl", "rides a rocket"), "recipe.yaml")
    assert (made["frame"], made["passing"]) == (1 + 2 * 2, 2)
    assert again == {"film/one/2/motion", "film/one/3/motion"}
