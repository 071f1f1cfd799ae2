"""Subtitles beside a film, as the libraries that own the formats read them."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import pytest
import srt
import webvtt

from lorakit.plan.film_times import FilmTimes
from lorakit.plan.tasks.subtitles import Subtitle, SubtitlesTask
from lorakit.rendering.subtitle_files import write_subtitles

RATES = [Fraction(24), Fraction(24000, 1001), Fraction(30000, 1001), Fraction(7)]


def written(folder: Path, task: SubtitlesTask, inputs: dict[str, str] | None = None):
    """Start and end in ms and the text of each subtitle, which both formats say alike."""
    files = write_subtitles(folder, task, inputs or {})
    assert {name: Path(file).name for name, file in files.items()} == task.files
    text = Path(files["srt"]).read_text("utf-8")
    said = list(srt.parse(text, ignore_errors=False)) if text else []
    web = webvtt.read(files["vtt"])
    ms = timedelta(milliseconds=1)
    found = [(c.start // ms, c.end // ms, c.content) for c in said]
    stamps = [(c.start, c.end) for c in web.captions]
    assert stamps == [
        tuple(srt.timedelta_to_srt_timestamp(t).replace(",", ".") for t in (c.start, c.end))
        for c in said
    ]
    return found


@pytest.mark.parametrize("rate", RATES)
def test_a_text_is_read_in_its_own_film_frames_and_no_others(
    tmp_path: Path, rate: Fraction
) -> None:
    texts = [("One", 7), ("", 3), ("Two", 1), ("Two", 4), ("Three", 4000)]
    task = SubtitlesTask(rate.as_integer_ratio(), tuple(Subtitle(*one) for one in texts))
    said = written(tmp_path, task)
    assert [text for *_, text in said] == ["One", "Two", "Three"]
    frames = [text for text, count in texts for _ in range(count)]
    for number, text in enumerate(frames):
        at = number / rate * 1000  # a player shows film frame n at n / rate
        assert [one for start, end, one in said if start <= at < end] == ([text] if text else [])


def test_times_are_those_that_the_run_settles(tmp_path: Path) -> None:
    timing = tmp_path / "timing.json"
    times = FilmTimes(Fraction(25), (5, 20, 10), (5, 10, 10, 10), ())
    timing.write_text(times.to_json())
    texts = tuple(Subtitle(text, 0) for text in ("One", "Two", "Three"))
    task = SubtitlesTask((25, 1), texts, on_top=True, timed=True)
    found = written(tmp_path, task, {"timing": str(timing)})
    assert found == [(0, 200, "One"), (200, 1000, "Two"), (1000, 1400, "Three")]
    assert (tmp_path / "film.vtt").read_text("utf-8").count(" line:0\n") == 3


def test_a_film_that_says_nothing_has_files_that_are_read(tmp_path: Path) -> None:
    assert written(tmp_path, SubtitlesTask((24, 1), (Subtitle("", 30),))) == []
    assert (tmp_path / "film.vtt").read_bytes() == b"WEBVTT\n"
