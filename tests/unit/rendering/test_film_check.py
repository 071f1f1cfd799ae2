"""A film is read back by moviepy before it counts as done."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from PIL import Image

from lorakit.rendering.ffmpeg_writer import FilmError
from lorakit.rendering.film import Shot, write_film
from lorakit.rendering.film_check import check_film, reader


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("film")
    Image.effect_noise((64, 48), 90).convert("RGB").save(home / "a.png")
    for _ in write_film(home / "film.mp4", [Shot(home / "a.png", 25)], fps=24):
        pass
    return home / "film.mp4"


def test_a_whole_film_passes(film: Path) -> None:
    check_film(film, (64, 48), 24, 25)


def test_no_pipe_is_left_open_where_ffmpeg_ends_first(
    film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a busy machine it has ended before the frame it wrote is read."""
    from moviepy.video.io import ffmpeg_reader

    begun = []

    class EndsFirst(ffmpeg_reader.FFMPEG_VideoReader):
        def read_frame(self):
            frame = super().read_frame()
            self.proc.wait()
            begun.append(self.proc)
            return frame

    monkeypatch.setattr(ffmpeg_reader, "FFMPEG_VideoReader", EndsFirst)
    check_film(film, (64, 48), 24, 25)
    assert [process.stdout.closed and process.stderr.closed for process in begun] == [True]


@pytest.mark.parametrize(
    ("size", "fps", "frames", "said"),
    [
        ((48, 64), 24, 25, r"\(64, 48\) px instead of \(48, 64\)"),
        ((64, 48), 30, 25, "24.0 frames a second instead of 30"),
        ((64, 48), 24, 26, "1.04 s instead of 1.08 s"),
    ],
)
def test_what_differs_is_named(
    film: Path, size: tuple[int, int], fps: int, frames: int, said: str
) -> None:
    with pytest.raises(FilmError, match=said):
        check_film(film, size, fps, frames)


def test_a_film_that_breaks_off_or_is_none_is_told(film: Path, tmp_path: Path) -> None:
    whole = film.read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FilmError, match=r"breaks off|cannot be read"):
        check_film(cut, (64, 48), 24, 25)
    cut.write_bytes(b"")
    with pytest.raises(FilmError, match="cannot be read"):
        check_film(cut, (64, 48), 24, 25)


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("killed", [(1,), (2,), (3,), (1, 2), (1, 2, 3)])
def test_an_ffmpeg_that_is_killed_while_it_reads_is_started_again(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed: tuple[int, ...]
) -> None:
    """Moviepy does not tell it from a film that is broken; ffmpeg reads it three times for one check."""
    real, count = reader().FFMPEG_BINARY, tmp_path / "count"
    fake = tmp_path / "ffmpeg"
    when = "|".join(map(str, killed))
    fake.write_text(
        f'#!/bin/sh\necho x >> {count}\ncase $(wc -l < {count}) in {when}) kill -9 $$;; esac\nexec {real} "$@"\n'
    )
    fake.chmod(0o755)
    monkeypatch.setattr(reader(), "FFMPEG_BINARY", str(fake))
    if len(killed) < 3:
        check_film(film, (64, 48), 24, 25)
    else:
        with pytest.raises(FilmError, match="cannot be read"):
            check_film(film, (64, 48), 24, 25)
    assert len(count.read_text().split()) > len(killed) - (len(killed) == 3)


@pytest.mark.skipif(sys.platform == "win32", reason="a script of the shell's")
def test_a_machine_that_is_too_busy_to_decode_is_no_fault_of_a_film(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After half a second without a frame ffmpeg tells of `time=N/A`: the soak's kills 157 and 163 of a film."""
    said = "frame=    0 fps=0.0 q=0.0 size=N/A time=N/A bitrate=N/A speed=N/A"
    fake = tmp_path / "ffmpeg"
    fake.write_text(
        f'#!/bin/sh\ncase " $* " in *" null "*) echo "{said}" >&2;; esac\nexec {reader().FFMPEG_BINARY} "$@"\n'
    )
    fake.chmod(0o755)
    monkeypatch.setattr(reader(), "FFMPEG_BINARY", str(fake))
    check_film(film, (64, 48), 24, 25)


def test_a_film_that_is_not_what_was_written_is_not_left(film: Path, monkeypatch) -> None:
    from lorakit.rendering import film as module

    target = film.with_name("other.mp4")
    real = module.check_film
    monkeypatch.setattr(
        module, "check_film", lambda path, size, fps, n: real(path, size, fps, n + 5)
    )
    with pytest.raises(FilmError, match="instead of"):
        list(write_film(target, [Shot(film.with_name("a.png"), 5)], fps=24))
    assert not target.exists()


@pytest.mark.parametrize(
    ("fps", "frames"), [(1, 1), (7, 1), (23, 40), (97, 3), (119, 3), (120, 333)]
)
def test_every_rate_and_length_passes(film: Path, fps: int, frames: int) -> None:
    list(write_film(film.with_name("any.mp4"), [Shot(film.with_name("a.png"), frames)], fps=fps))
