"""What a film sounds like, held against samples that are known."""

from __future__ import annotations

import subprocess
import wave
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest

from lorakit.facts.sounds import decoding
from lorakit.plan.tasks.finished_film import FinishedFilmTask
from lorakit.plan.tasks.sound import Music, SoundMixTask
from lorakit.rendering.film import Shot, write_film
from lorakit.rendering.finished_film import write_finished_film
from lorakit.rendering.sound_mix import write_mix

RATE = decoding.RATE


def write_wav(path: Path, samples: np.ndarray, rate: int = RATE) -> Path:
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1 if samples.ndim == 1 else samples.shape[1])
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(np.rint(samples * 32767).astype("<i2").tobytes())
    return path


def heard(path: Path) -> np.ndarray:
    """A sound's samples, as ffmpeg reads them."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-i", str(path), "-map"]
    raw = subprocess.run(
        [*command, "0:a", "-ac", "2", "-ar", str(RATE), "-f", "f32le", "-"],
        capture_output=True,
        check=True,
    ).stdout
    return np.frombuffer(raw, np.float32).reshape(-1, 2)


def song(path: Path, **changes: float) -> Music:
    settings = {"gain": 0.0, "fade_in": 0.0, "fade_out": 0.0, "duck": 12.0} | changes
    return Music("digest", **settings, file=str(path))


def mixed(folder: Path, task: SoundMixTask, name: str = "sound.flac") -> np.ndarray:
    told = list(write_mix(folder / name, task, {}))
    assert told[-1][0] == told[-1][1]
    assert sorted(p.suffix for p in folder.glob("*.raw")) in ([], [".raw"])
    return heard(folder / name)


def noise(seconds: float, level: float = 0.3) -> np.ndarray:
    return np.random.default_rng(5).uniform(-level, level, (round(seconds * RATE), 2))


def test_music_begins_anew_at_the_very_sample_where_it_ends(tmp_path: Path) -> None:
    tune = noise(0.7)
    music = song(write_wav(tmp_path / "tune.wav", tune))
    made = mixed(tmp_path, SoundMixTask(round(2.5 * RATE), music))
    assert made.shape == (round(2.5 * RATE), 2)
    assert np.abs(made - np.resize(tune, made.shape)).max() < 1 / 32768


def test_music_is_cut_where_the_film_ends_and_fades(tmp_path: Path) -> None:
    music = song(
        write_wav(tmp_path / "tune.wav", np.full((3 * RATE, 2), 0.5)),
        gain=-6.0,
        fade_in=0.5,
        fade_out=1.0,
    )
    made = mixed(tmp_path, SoundMixTask(2 * RATE, music))[:, 0]
    full = 0.5 * 10 ** (-6 / 20)
    assert len(made) == 2 * RATE
    for at, share in {0.0: 0, 0.25: 0.5, 0.5: 1, 0.9: 1, 1.5: 0.5, 1.75: 0.25}.items():
        assert made[round(at * RATE)] == pytest.approx(full * share, abs=1e-3)
    assert abs(made[-1]) < 1e-4


def test_what_would_clip_is_turned_down_as_a_whole(tmp_path: Path) -> None:
    tune = noise(0.5, 0.5)
    music = song(write_wav(tmp_path / "tune.wav", tune), gain=20.0)
    made = mixed(tmp_path, SoundMixTask(RATE // 2, music))
    assert np.abs(made).max() == pytest.approx(0.97, abs=1e-3)
    assert np.corrcoef(made[:, 0], tune[:, 0])[0, 1] > 0.9999


def test_the_same_sound_has_the_same_bytes(tmp_path: Path) -> None:
    music = song(write_wav(tmp_path / "tune.wav", noise(0.4)))
    for name in ("a.flac", "b.flac"):
        mixed(tmp_path, SoundMixTask(RATE, music), name)
    assert (tmp_path / "a.flac").read_bytes() == (tmp_path / "b.flac").read_bytes()


def streams_digest(path: Path, stream: str) -> str:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-i", str(path), "-map"]
    done = subprocess.run(
        [*command, stream, "-c", "copy", "-f", "md5", "-"], capture_output=True, check=True
    )
    return done.stdout.decode()


@pytest.mark.slow
def test_a_film_gets_its_sound_and_keeps_its_pictures(tmp_path: Path, picture) -> None:
    shots = [Shot(picture("a", (200, 30, 30)), 20), Shot(picture("b", (30, 30, 200)), 28)]
    list(write_film(tmp_path / "silent.mp4", shots, fps=24))
    sound = tmp_path / "sound.flac"
    mixed(tmp_path, SoundMixTask(2 * RATE, song(write_wav(tmp_path / "t.wav", noise(1)))))
    inputs = {"film": str(tmp_path / "silent.mp4"), "sound": str(sound)}
    for name in ("film.mp4", "again.mp4"):
        list(write_finished_film(tmp_path / name, FinishedFilmTask("mp4", "", (24, 1)), inputs))
    film = tmp_path / "film.mp4"
    assert streams_digest(film, "0:v") == streams_digest(tmp_path / "silent.mp4", "0:v")
    assert film.read_bytes() == (tmp_path / "again.mp4").read_bytes()
    assert film.read_bytes().index(b"moov") < film.read_bytes().index(b"mdat")
    assert len(heard(film)) == pytest.approx(2 * RATE, abs=1024)


@pytest.mark.parametrize("seconds", [10, pytest.param(600, marks=pytest.mark.slow)])
def test_clicks_stand_at_their_film_frames_to_the_end(tmp_path: Path, seconds: int) -> None:
    """AAC begins with samples of its own, which a player leaves out: at the end all is where it was."""
    fps = 24
    last = seconds * fps
    track = np.zeros(seconds * RATE, dtype=np.float32)
    at = [0, 1, last // 10 - 1, last // 2, last - 48, last - 1]  # film frames
    for frame in at:
        first = frame * RATE // fps
        track[first : first + 480] = 0.8
    target = tmp_path / "sound.flac"
    task = SoundMixTask(len(track), song(write_wav(tmp_path / "clicks.wav", track)))
    list(write_mix(target, task, {}))
    ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error"]
    silent = tmp_path / "silent.mp4"
    pictures = ["-f", "lavfi", "-i", f"color=navy:s=32x32:r={fps}:d={seconds}"]
    subprocess.run([*ffmpeg, *pictures, "-preset", "ultrafast", str(silent)], check=True)
    film = tmp_path / "film.mp4"
    inputs = {"film": str(silent), "sound": str(target)}
    list(write_finished_film(film, FinishedFilmTask("mp4", "", (24, 1)), inputs))
    loud = np.abs(heard(film)[:, 0]) > 0.4
    edges = np.flatnonzero(loud & ~np.concatenate([[False], loud[:-1]]))
    starts = [edge for n, edge in enumerate(edges) if not n or edge - edges[n - 1] > 1000]
    assert [round(start * fps / RATE) for start in starts] == at
    assert (
        max(abs(start - frame * RATE / fps) for start, frame in zip(starts, at, strict=True)) < 96
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"words", "none of the formats"),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n", "none of the formats"),
        (b"ffconcat version 1.0\nfile /etc/hostname\n", "none of the formats"),
        (b"", "none of the formats"),
    ],
)
def test_what_is_no_sound_is_told_and_no_list_is_followed(tmp_path, content, said) -> None:
    path = tmp_path / "song.ogg"
    path.write_bytes(content)
    with pytest.raises(decoding.SoundError, match=said):
        decoding.samples(path)


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "opus", "mp3", "m4a"])
def test_a_song_is_as_long_as_it_was_in_every_format(tmp_path: Path, ending: str) -> None:
    wav = write_wav(tmp_path / "song.wav", noise(1.3))
    made = tmp_path / f"made.{ending}"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-i", str(wav)]
    subprocess.run([*command, str(made)], check=True)
    assert decoding.samples(made) == pytest.approx(1.3 * RATE, abs=2)
