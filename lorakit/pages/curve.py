"""The geometry of a curve: axes with round numbers, paths of at most so many points."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lorakit.pages.parts import Curve, Series
from lorakit.records import record

_MOST = 400  # points of a path; more are not seen at any width
_LEFT, _TOP, _RIGHT, _BOTTOM = 52.0, 12.0, 12.0, 26.0


@record
class Tick:
    """A mark of an axis: where, and what it says."""

    at: float
    text: str


@record
class DrawnSeries:
    """A series as an SVG path, with the dots of one that has them."""

    name: str
    role: str
    path: str
    dots: Sequence[tuple[float, float]]
    last: str


@record
class Chart:
    """A curve at one size, in px."""

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    across: Sequence[Tick]
    up: Sequence[Tick]
    series: Sequence[DrawnSeries]


def number(value: float) -> str:
    """A figure of a curve: four digits, thousands apart, small ones as 5e-05."""
    if value and abs(value) < 1e-3:
        return f"{value:.2g}"
    return f"{value:,.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:.4g}"


def _finite(series: Series) -> list[tuple[float, float]]:
    return [(x, y) for x, y in series.points if math.isfinite(x) and math.isfinite(y)]


def _ticks(low: float, high: float, most: int, *, whole: bool = False) -> list[float]:
    """Round numbers within a range, at most so many."""
    raw = (high - low) / most or 1.0
    base = 10.0 ** math.floor(math.log10(raw))
    step = next(base * m for m in (1, 2, 2.5, 5, 10) if base * m >= raw)
    if whole:
        step = max(1.0, float(round(step)))
    first = math.ceil(low / step - 1e-9)
    return [n * step for n in range(first, math.floor(high / step + 1e-9) + 1)]


def _thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """No more points than are seen: of each stretch its lowest and its highest."""
    if len(points) <= _MOST:
        return list(points)
    width = math.ceil(len(points) / (_MOST // 2))
    kept: list[tuple[float, float]] = []
    for begin in range(0, len(points), width):
        stretch = points[begin : begin + width]
        ends = {min(stretch, key=lambda p: p[1]), max(stretch, key=lambda p: p[1])}
        kept += sorted(ends)
    return kept


def chart(curve: Curve, width: float, height: float) -> Chart | None:
    """A curve's geometry; None where it has no points."""
    found = [(one, _finite(one)) for one in curve.series]
    every = [point for _, points in found for point in points]
    if not every:
        return None
    first, last = min(x for x, _ in every), max(x for x, _ in every)
    low, high = min(y for _, y in every), max(y for _, y in every)
    room = (high - low) * 0.08 or abs(high) * 0.1 or 1.0
    low, high = (max(0.0, low - room) if low >= 0 else low - room), high + room
    if first == last:
        first, last = first - 1, last + 1
    right, bottom = width - _RIGHT, height - _BOTTOM

    def across(x: float) -> float:
        return round(_LEFT + (right - _LEFT) * (x - first) / (last - first), 1)

    def up(y: float) -> float:
        return round(_TOP + (bottom - _TOP) * (high - y) / (high - low), 1)

    whole = all(x == int(x) for x, _ in every)
    return Chart(
        width=width,
        height=height,
        left=_LEFT,
        right=right,
        top=_TOP,
        bottom=bottom,
        across=[
            Tick(across(x), number(x)) for x in _ticks(first, last, int(width // 90), whole=whole)
        ],
        up=[Tick(up(y), number(y)) for y in _ticks(low, high, 5)],
        series=[
            DrawnSeries(
                name=one.name,
                role=one.role,
                path="M" + "L".join(f"{across(x)} {up(y)}" for x, y in _thinned(points)),
                dots=[(across(x), up(y)) for x, y in points] if one.role == "dots" else [],
                last=number(points[-1][1]),
            )
            for one, points in found
            if points
        ],
    )
