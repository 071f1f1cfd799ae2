from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lorakit.language.story.durations import Duration, parse


@pytest.mark.parametrize(
    ("written", "seconds"),
    [(2, 2), (1.5, Fraction(3, 2)), ("1.5", Fraction(3, 2)), ("2s", 2), ("0:01.5", Fraction(3, 2)),
     ("1:23.5", Fraction(167, 2)), ("1:00:00", 3600), (0.1, Fraction(1, 10))],
)  # fmt: skip
def test_seconds_and_clocks(written: object, seconds: object) -> None:
    assert parse(written) == Duration(seconds=Fraction(seconds))  # type: ignore[arg-type]


def test_film_frames() -> None:
    assert parse("36f") == Duration(frames=36)


@pytest.mark.parametrize(
    "written", ["", "f", "2 seconds", "1m", "1:2:3:4", "-1", True, None, [], "1:200", "∞"]
)
def test_anything_else_is_no_duration(written: object) -> None:
    assert parse(written) is None


@given(st.integers(1, 10**6), st.integers(1, 120))
def test_frames_stay_frames_at_any_rate(frames: int, fps: int) -> None:
    found = parse(f"{frames}f")
    assert found is not None
    assert found.in_frames(fps) == frames
    assert found.in_seconds(fps) == pytest.approx(frames / fps)
