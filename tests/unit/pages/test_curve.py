"""Curves: round ticks, few points, nothing where there is nothing to draw."""

from __future__ import annotations

import math

from lorakit.pages.curve import chart, number
from lorakit.pages.parts import Curve, Series


def test_a_curve_lies_within_its_axes_and_keeps_peaks() -> None:
    points = [(float(n), 5.0 if n == 777 else math.sin(n / 40)) for n in range(1, 5001)]
    drawn = chart(Curve("c", [Series("s", points)]), 760, 260)
    assert drawn is not None
    path = [tuple(map(float, one.split())) for one in drawn.series[0].path[1:].split("L")]
    assert len(path) <= 400
    assert all(drawn.left <= x <= drawn.right and drawn.top <= y <= drawn.bottom for x, y in path)
    assert [x for x, _ in path] == sorted(x for x, _ in path)
    assert min(y for _, y in path) < 40 < sorted(y for _, y in path)[1]  # the one peak is not lost


def test_ticks_are_round_and_steps_whole() -> None:
    drawn = chart(Curve("c", [Series("s", [(1, 0.12), (7, 0.9)])]), 760, 260)
    assert drawn is not None
    assert [tick.text for tick in drawn.up] == ["0.2", "0.4", "0.6", "0.8"]
    assert [tick.text for tick in drawn.across] == ["1", "2", "3", "4", "5", "6", "7"]


def test_what_is_no_number_is_not_drawn() -> None:
    nothing = [(1.0, math.nan), (2.0, math.inf)]
    assert chart(Curve("c", [Series("s", nothing)]), 760, 260) is None
    assert chart(Curve("c", [Series("s", [])]), 760, 260) is None
    one = chart(Curve("c", [Series("s", [*nothing, (3.0, 1.0)])]), 760, 260)
    assert one is not None
    assert "nan" not in one.series[0].path


def test_figures_are_said_shortly() -> None:
    assert [number(n) for n in (0, 1, 0.5, 0.123456, 5e-5, 12345.6)] == [
        "0",
        "1",
        "0.5",
        "0.1235",
        "5e-05",
        "12,346",
    ]
