"""Films read frame by frame, held against what another build of FFmpeg's libraries reads (PyAV)."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest

from lorakit.facts.pictures.film_frames import FilmReadError, frame_of, frames_of
from tests.support.films import write_film

ALL = Fraction(100)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "codec", "fps"),
    [
        ("film.mp4", "libx264", "24"),
        ("film.mov", "libx264", "30000/1001"),
        ("film.mkv", "ffv1", "24000/1001"),
        ("film.webm", "libvpx-vp9", "25"),
        ("film.avi", "mpeg4", "12"),
    ],
)
def test_times_and_pictures_are_those_that_another_reader_finds(
    name: str, codec: str, fps: str, tmp_path: Path
) -> None:
    write_film(tmp_path / name, range(0, 70, 7), fps=fps, codec=codec)
    found = frames_of(tmp_path / name, ALL)
    with av.open(str(tmp_path / name)) as film:
        theirs = [(frame.time, frame.to_ndarray(format="rgb24")) for frame in film.decode(video=0)]
    assert len(found.frames) == len(theirs) == 10
    begins = theirs[0][0] or 0
    for number, (one, (time, pixels)) in enumerate(zip(found.frames, theirs, strict=True)):
        assert float(one.seconds) == pytest.approx((time or 0) - begins, abs=1e-4)
        picture = frame_of(tmp_path / name, number, float(one.seconds), one.digest)
        apart = [abs(a - b) for a, b in zip(picture.tobytes(), pixels.tobytes(), strict=True)]
        assert sum(apart) / len(apart) < 1.5  # colours of half the size are enlarged otherwise
    assert float(found.seconds) == pytest.approx(10 / Fraction(fps), abs=2e-3)
    rate = Fraction(fps)
    assert [found.at(n / rate) for n in range(10)] == list(range(10))
    assert found.at(Fraction(19, 2) / rate) == 9
    assert found.at(10 / rate) is None


def test_pixels_without_loss_come_out_as_they_went_in(tmp_path: Path) -> None:
    written = write_film(tmp_path / "film.mkv", [1, 9, 17], codec="ffv1")
    found = frames_of(tmp_path / "film.mkv", ALL)
    pictures = [
        frame_of(tmp_path / "film.mkv", n, float(one.seconds), one.digest)
        for n, one in enumerate(found.frames)
    ]
    assert [picture.tobytes() for picture in pictures] == written


def test_a_frame_is_known_by_its_picture_in_whatever_film(tmp_path: Path) -> None:
    write_film(tmp_path / "a.mkv", [1, 9, 17], codec="ffv1")
    write_film(tmp_path / "b.mkv", [1, 30, 17, 9], codec="ffv1", fps="12")
    a, b = (frames_of(tmp_path / name, ALL).frames for name in ("a.mkv", "b.mkv"))
    assert [one.digest for one in a] == [b[0].digest, b[3].digest, b[2].digest]
    # by its number, where its time leads to another
    assert frame_of(tmp_path / "b.mkv", 3, 0.0, a[1].digest).size == (64, 48)
    with pytest.raises(FilmReadError, match="is another than when the plan was made"):
        frame_of(tmp_path / "b.mkv", 1, 1 / 12, a[1].digest)


def test_no_more_is_read_than_is_asked_for(tmp_path: Path) -> None:
    write_film(tmp_path / "film.mp4", range(48))
    assert len(frames_of(tmp_path / "film.mp4", Fraction(1)).frames) == 24


@pytest.mark.parametrize("name", ["film.mp4", "film.ts"])
def test_what_is_no_film_is_told_in_words(name: str, tmp_path: Path) -> None:
    write_film(tmp_path / "real.mp4", [1, 2])
    file = tmp_path / name
    for told in (
        b"",
        b"\0" * 40,
        b"ffconcat version 1.0\nfile real.mp4\n",
        b"#EXTM3U\n#EXTINF:1,\nreal.mp4\n",
        (tmp_path / "real.mp4").read_bytes()[:200],
    ):
        file.write_bytes(told)
        with pytest.raises(FilmReadError) as caught:
            frames_of(file, ALL)
        assert "\n" not in str(caught.value)
        assert "real" not in str(caught.value)
