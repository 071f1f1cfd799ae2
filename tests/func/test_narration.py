"""Sentences that are spoken. Real runs, of pictures of one's own, spoken by espeak-ng or by a program of ours."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lorakit.diagnostics import InvalidDocument, render_text
from lorakit.facts.files import user_config
from lorakit.plan.film_times import read_times
from lorakit.session import load
from tests.support.runs import Ran, run
from tests.unit.rendering.test_sound_mix import RATE, heard, write_wav

BOARD = """storyboard: 1
characters:
  fox: {anchor: a red fox, voice: deep}
scenes:
  - sentences:
      - {text: An owl says something rather long here, image: a.png}
      - {text: The fox answers, image: b.png, caption: Yes}
      - {text: An owl sleeps, image: c.png, say: false}
video: {fps: 25, height: 64, captions: true, narration: {voice: high, pause: 0.2}}
"""
# speaks a tone of the pitch that its voice has, a tenth of a second for each word
SPEAKER = """
import math, struct, sys, wave
pitch, target = float(sys.argv[1]), sys.argv[2]
words = len(sys.stdin.buffer.read().decode("utf-8").split())
with wave.open(target, "wb") as out:
    out.setnchannels(1); out.setsampwidth(2); out.setframerate(16000)
    for n in range(1600 * words):
        out.writeframes(struct.pack("<h", int(20000 * math.sin(2 * math.pi * pitch * n / 16000))))
"""


@pytest.fixture
def story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".lorakit").mkdir()
    for name, colour in (("a", "red"), ("b", "blue"), ("c", "green")):
        Image.new("RGB", (64, 64), colour).save(f"{name}.png")
    (tmp_path / "speaker.py").write_text(SPEAKER)
    program = [sys.executable, str(tmp_path / "speaker.py")]
    voices = {
        name: {"command": [*program, str(pitch), "{out}"], "version": "1"}
        for name, pitch in (("high", 880), ("deep", 220))
    }
    config = tmp_path / "config.yaml"
    config.write_text(json.dumps({"voices": voices}))
    monkeypatch.setattr(user_config, "config_path", lambda: config)
    (tmp_path / "board.yaml").write_text(BOARD)
    return tmp_path


def change(home: Path, before: str, after: str) -> None:
    text = (home / "board.yaml").read_text()
    assert before in text
    (home / "board.yaml").write_text(text.replace(before, after))


def ran(home: Path) -> tuple[set[str], Ran]:
    it = run(home, "board.yaml")
    assert it.code == 0, it.errors
    manifest = json.loads((it.folder / "manifest.json").read_text())
    return {one["id"] for one in manifest["actions"] if one["outcome"] == "made"}, it


def told(it: Ran) -> str:
    return " ".join(one.get("detail") or "" for one in it.events)


def pitch_at(sound: np.ndarray, second: float) -> float:
    part = sound[round(second * RATE) : round((second + 0.1) * RATE), 0]
    spectrum = np.abs(np.fft.rfft(part))
    return 0.0 if np.abs(part).max() < 0.02 else float(np.argmax(spectrum)) * RATE / len(part)


def test_pictures_stay_as_long_as_their_words_and_each_has_its_voice(story: Path) -> None:
    made, it = ran(story)
    assert {"film/film_speech/1", "film/film_speech/2", "film/film_timing"} <= made
    times = read_times((it.folder / "film" / "film_timing.json").read_text())
    # seven words and three, a fifth of a second behind each; the third has nothing to say
    assert times.clips == (18 + 5, 8 + 5, 38)
    assert times.speech == (0, 23)
    sound = heard(it.folder / "film" / "film.mp4")
    assert len(sound) == pytest.approx(74 / 25 * RATE, abs=1024)
    assert pitch_at(sound, 0.3) == pytest.approx(880, abs=15)
    assert pitch_at(sound, 0.8) == 0
    assert pitch_at(sound, 23 / 25 + 0.1) == pytest.approx(220, abs=15)
    assert pitch_at(sound, 2) == 0

    # a word more: that sentence is spoken anew, and no other
    change(story, "answers,", "answers him,")
    heard_anew = {"film/film_timing", "film/film_sound", "film/film"}
    everything = heard_anew | {"film/film_pictures", "film/film_subtitles"}
    assert ran(story)[0] == {"film/film_speech/2"} | everything
    # a caption is no word: nothing is spoken, and the sound is there
    change(story, "caption: Yes", "caption: No")
    shown_anew = {"film/film_pictures", "film/film", "film/contact-sheet"}
    assert ran(story)[0] == shown_anew | {"film/film_subtitles"}
    # another voice with words of the same length: the pictures stay
    change(story, "voice: deep", "voice: high")
    assert ran(story)[0] == {"film/film_speech/2"} | heard_anew


@pytest.mark.slow
def test_what_does_not_go_together_is_told_with_its_place_and_lengths(story: Path) -> None:
    change(story, "image: b.png,", "image: b.png, hold: 0.2,")
    it = run(story, "board.yaml")
    assert it.code == 1
    assert "board.yaml:7:" in told(it)
    assert "what is said here lasts 0.32 s, and its picture 0.20 s" in told(it)
    assert "hold: audio" in told(it)
    # from now on its length is known, and told before anything is made
    with pytest.raises(InvalidDocument) as caught:
        load("board.yaml").plan()
    text = render_text(caught.value.diagnostics)
    assert "board.yaml:7:16: error[timing]: what is said here lasts 0.32 s" in text


def test_music_that_may_not_loop_is_held_against_what_was_spoken(story: Path) -> None:
    write_wav(story / "song.wav", 0.1 * np.sin(np.arange(2 * RATE) / RATE * 2 * np.pi * 110))
    change(story, "narration:", "audio: {music: song.wav, loop: false}, narration:")
    it = run(story, "board.yaml")
    assert it.code == 1
    wrong = "error[timing]: the music lasts 2.00 s, and the film 2.96 s"
    assert f"board.yaml:9:77: {wrong}" in told(it)
    with pytest.raises(InvalidDocument) as caught:
        load("board.yaml").plan()
    assert wrong in render_text(caught.value.diagnostics)


@pytest.mark.slow
def test_a_recording_is_heard_and_its_length_is_known_before_the_run(story: Path) -> None:
    write_wav(story / "own.wav", 0.4 * np.sin(np.arange(RATE) / RATE * 2 * np.pi * 440))
    change(story, "say: false", "audio: own.wav, hold: 0.8")
    with pytest.raises(InvalidDocument) as caught:
        load("board.yaml").check()
    text = render_text(caught.value.diagnostics)
    assert "board.yaml:8:" in text
    assert "lasts 1.00 s, and its picture 0.80 s" in text
    change(story, "hold: 0.8", "hold: audio, at: 2")
    _, it = ran(story)
    times = read_times((it.folder / "film" / "film_timing.json").read_text())
    assert times.clips == (23, 27, 30)
    assert pitch_at(heard(it.folder / "film" / "film.mp4"), 2.4) == pytest.approx(440, abs=15)


def test_without_a_program_that_speaks_the_film_is_silent_and_says_so(
    story: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(story, "voice: high", "voice: en-us")
    change(story, "voice: deep", "voice: en-gb")
    which = shutil.which
    monkeypatch.setattr(
        shutil, "which", lambda name, *more: None if name == "espeak-ng" else which(name, *more)
    )
    session = load("board.yaml")
    warnings = render_text(session.check())
    assert "warning[no-voice]" in warnings
    assert "espeak-ng is not here" in warnings
    kinds = {planned.action.kind for planned in session.plan().actions}
    assert not kinds & {"speech", "timing", "sound-mix"}


def test_a_voice_that_nobody_has_is_told_with_its_neighbours(story: Path) -> None:
    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng is not here")
    change(story, "voice: high", "voice: hihg")
    with pytest.raises(InvalidDocument) as caught:
        load("board.yaml").check()
    text = render_text(caught.value.diagnostics)
    assert "board.yaml:9:" in text
    assert "no voice is called hihg" in text
    assert "did you mean high?" in text


def test_a_program_that_fails_is_told_with_its_last_words(story: Path) -> None:
    (story / "speaker.py").write_text("import sys; sys.exit('the microphone is broken')")
    it = run(story, "board.yaml")
    assert it.code == 1
    assert "failed (exit code 1): the microphone is broken" in told(it)


def test_a_config_that_is_wrong_is_told(story: Path) -> None:
    (story / "config.yaml").write_text("voices: {high: {command: say}}")
    with pytest.raises(InvalidDocument) as caught:
        load("board.yaml").check()
    assert "needs a command, a list of words" in render_text(caught.value.diagnostics)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not here")
def test_espeak_ng_speaks_what_no_other_does(story: Path) -> None:
    change(story, "narration: {voice: high, pause: 0.2}", "narration: true")
    change(story, "voice: deep", "voice: en+f3")
    _, it = ran(story)
    times = read_times((it.folder / "film" / "film_timing.json").read_text())
    sound = np.abs(heard(it.folder / "film" / "film.mp4")[:, 0])
    for first, frames in zip(times.speech, times.clips, strict=False):
        begun, ends = round(first / 25 * RATE), round((first + frames - 10) / 25 * RATE)
        assert sound[begun:ends].max() > 0.1  # words
        assert sound[ends : ends + RATE // 10].max() < 0.05  # the pause behind them
