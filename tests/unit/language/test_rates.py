"""Rates of films: exact, as they are written."""

from __future__ import annotations

from fractions import Fraction

import pytest

from lorakit.language.story import durations, rates
from lorakit.plan.clock import stamp, timecode


@pytest.mark.parametrize(
    ("written", "exact", "shown"),
    [
        (24, Fraction(24), "24"),
        (23.976, Fraction(24000, 1001), "23.976"),
        (23.98, Fraction(24000, 1001), "23.976"),
        (29.97, Fraction(30000, 1001), "29.97"),
        (59.94, Fraction(60000, 1001), "59.94"),
        (119.88, Fraction(120000, 1001), "119.88"),
        (12.5, Fraction(25, 2), "12.5"),
        ("30000/1001", Fraction(30000, 1001), "29.97"),
        ("24 / 1", Fraction(24), "24"),
        ("25/2", Fraction(25, 2), "12.5"),
    ],
)
def test_a_rate_is_exact(written: object, exact: Fraction, shown: str) -> None:
    rate = rates.parse(written)
    assert rate == exact
    assert str(rate) == shown
    assert rates.of(rate.written) == exact  # as a worker is told, and keys know it


@pytest.mark.parametrize(
    "written", [0, 121, 0.5, "1/0", "121/1", "abc", True, None, "9999999/999999"]
)
def test_what_is_none(written: object) -> None:
    assert rates.parse(written) is None


def test_whole_rates_have_the_keys_they_had() -> None:
    assert rates.of(24).written == 24
    assert type(rates.of(24).written) is int


def test_holds_are_rounded_once_each() -> None:
    assert durations.of(1.5).in_frames(rates.of(23.976)) == 36
    assert durations.of("1:00").in_frames(rates.of(29.97)) == 1798  # 59.99 s
    assert durations.of("36f").in_seconds(rates.of(23.976)) == pytest.approx(1.5015)


def test_times_of_frames_as_subtitles_and_editors_write_them() -> None:
    rate = rates.of(29.97)
    assert stamp(30, rate, ",") == "00:00:01,001"
    assert timecode(30, rate) == "00:00:01:00"
    assert timecode(29, rate) == "00:00:00:29"
