"""Each scene as a film of its own, beside the whole: a run of pictures of one's own, with music."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support.probe import probe
from tests.support.runs import run
from tests.unit.rendering.test_sound_mix import RATE, heard, write_wav

BOARD = """storyboard: 1
title: Two rooms
scenes:
  - {setting: in red, sentences: [{text: A fox, image: red.png}, {text: An owl, image: blue.png}]}
  - {setting: in blue, sentences: [{text: A bear, image: blue.png, AT}]}
video: {fps: 25, hold: 1, scenes: true, audio: {music: song.wav, fade_out: 0},
        transition: {kind: crossfade, seconds: 0.4}}
"""


@pytest.mark.slow
@pytest.mark.parametrize(("at", "second"), [("hold: 1", 2.0), ("at: 2.4", 2.4)])
def test_a_scene_has_its_pictures_and_its_part_of_the_sound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str, second: float
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".lorakit").mkdir()
    for name in ("red", "blue"):
        Image.new("RGB", (64, 64), name).save(f"{name}.png")
    ramp = np.linspace(0, 0.8, 4 * RATE, dtype=np.float32)  # how loud it is says when it is
    tone = ramp * np.sin(np.arange(4 * RATE) / RATE * 2 * np.pi * 1000).astype(np.float32)
    write_wav(tmp_path / "song.wav", tone)
    (tmp_path / "board.yaml").write_text(BOARD.replace("AT", at))
    ran = run(tmp_path, "board.yaml")
    assert ran.code == 0, ran.errors
    whole = probe(ran.folder / "film" / "film.mp4")
    scenes = [probe(ran.folder / "film" / "scenes" / f"0{n}.mp4") for n in (1, 2)]
    assert [scene.frames for scene in scenes] == [round(second * 25), 25]
    assert sum(scene.frames for scene in scenes) == whole.frames
    assert [scene.tags["title"] for scene in scenes] == [
        "Two rooms: 1. in red",
        "Two rooms: 2. in blue",
    ]
    assert whole.tags["title"] == "Two rooms"
    assert all(scene.streams == ("video", "audio") for scene in scenes)
    sound = np.abs(heard(ran.folder / "film" / "film.mp4")[:, 0])
    first, last = (
        np.abs(heard(ran.folder / "film" / "scenes" / f"0{n}.mp4")[:, 0]) for n in (1, 2)
    )
    assert len(first) == pytest.approx(second * RATE, abs=1024)
    assert len(last) == pytest.approx(RATE, abs=1024)
    half = RATE // 2
    for part, begins in ((first, 0), (last, round(second * RATE))):
        around = slice(half, half + 4800)
        wanted = sound[begins + half : begins + half + 4800].max()
        assert part[around].max() == pytest.approx(wanted, abs=0.03)
