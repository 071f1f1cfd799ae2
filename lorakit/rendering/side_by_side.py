"""Pictures side by side: a table whose cells are pictures, for what differs in one thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lorakit.facts.fonts import drawable
from lorakit.facts.open_picture import PictureError
from lorakit.rendering.captions import wrap
from lorakit.rendering.contact_sheet import CAPTION, FAINT, PAGE, TITLE, font, measure, rounded
from lorakit.rendering.planes import fitted, open_rgb, picture_size
from lorakit.rendering.sheet_layout import MARGIN, MOST_PIXELS, WIDTH, clip

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from PIL.ImageDraw import ImageDraw

_GAP, _LARGEST, _SMALLEST = 14, 256, 40
_SIDE, _HEAD, _LETTERS, _LEADING = 190, 17, 14, 1.3  # px: row headings, letters of both headings
_LINES = 4


@dataclass(frozen=True, slots=True)
class Table:
    """Headings, and a picture for each row and column; None where there is none."""

    title: str
    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Path | None]]]


def write_side_by_side(target: Path, table: Table) -> Iterator[tuple[int, int]]:
    """Write a PNG to `target`, yielding (pictures drawn, pictures in all).

    Pictures shrink as they grow in number; rows that would exceed 20 megapixels are left out and counted.
    Raises `PictureError`.
    """
    from PIL import Image, ImageDraw

    first = next((path for _, row in table.rows for path in row if path is not None), None)
    if first is None:
        raise PictureError("there is no picture to lay side by side")
    grid = _grid(table, picture_size(first))
    page = Image.new("RGB", (grid.width, grid.height), PAGE)
    draw = ImageDraw.Draw(page)
    _letter(draw, table, grid)
    corners = rounded((grid.wide, grid.high))
    shown = table.rows[: grid.shown]
    total = sum(path is not None for _, row in shown for path in row)
    done = 0
    for number, (heading, row) in enumerate(shown):
        top = grid.top + number * grid.pitch
        lines = _lines(heading, _SIDE - _GAP, _LETTERS, max(_LINES, grid.high // 20))
        height = len(lines) * _LETTERS * _LEADING
        _write(draw, lines, MARGIN, top + max(0, (grid.high - height) / 2), _LETTERS, CAPTION)
        for column, path in enumerate(row):
            left = grid.left + column * (grid.wide + _GAP)
            if path is None:
                middle = top + grid.high / 2 - _LETTERS
                draw.text((left + 8, middle), "not made", fill=FAINT, font=font(_LETTERS, False))
                continue
            picture = fitted(open_rgb(path), grid.wide, grid.high, bars=PAGE)
            page.paste(picture, (left, top), corners)
            done += 1
            yield done, total
    page.save(target, "PNG", compress_level=6)


@dataclass(frozen=True, slots=True)
class _Grid:
    width: int
    height: int
    left: int
    top: int
    wide: int
    high: int
    pitch: int
    shown: int
    heads: Sequence[Sequence[str]]


def _grid(table: Table, shape: tuple[int, int]) -> _Grid:
    """The largest pictures with which all columns fit the page."""
    count = max(1, len(table.columns))
    left = MARGIN + (_SIDE if any(heading for heading, _ in table.rows) else 0)
    room = (WIDTH - MARGIN - left + _GAP) / count - _GAP
    wide = max(_SMALLEST, min(_LARGEST, int(room)))
    high = max(8, round(wide * shape[1] / shape[0]))
    heads = [_lines(text, wide, _HEAD, _LINES) for text in table.columns]
    tallest = max((len(lines) for lines in heads), default=0)
    top = MARGIN + 56 + round(tallest * _HEAD * _LEADING) + 8
    width = left + count * (wide + _GAP) - _GAP + MARGIN
    width = max(width, round(measure(table.title, 30, True)) + 2 * MARGIN)
    pitch = high + _GAP
    shown = min(len(table.rows), max(1, (MOST_PIXELS // width - top - MARGIN - 30) // pitch))
    note = 30 if shown < len(table.rows) else 0
    return _Grid(
        width,
        top + shown * pitch - _GAP + MARGIN + note,
        left,
        top,
        wide,
        high,
        pitch,
        shown,
        heads,
    )


def _letter(draw: ImageDraw, table: Table, grid: _Grid) -> None:
    title = clip(drawable(table.title), WIDTH - 2 * MARGIN, lambda t: measure(t, 30, True))
    draw.text((MARGIN, MARGIN - 6), title, fill=TITLE, font=font(30, True))
    for column, lines in enumerate(grid.heads):
        left = grid.left + column * (grid.wide + _GAP)
        top = grid.top - 8 - len(lines) * _HEAD * _LEADING
        _write(draw, lines, left, top, _HEAD, TITLE)
    left_out = len(table.rows) - grid.shown
    if left_out:
        words = f"… and {left_out:,} more rows"
        where = (MARGIN, grid.top + grid.shown * grid.pitch)
        draw.text(where, words, fill=FAINT, font=font(_LETTERS, False))


def _lines(text: str, width: int, size: int, most: int) -> list[str]:
    def long(words: str) -> float:
        return measure(words, size, False)

    lines = wrap(drawable(text), long, width) if text else []
    if len(lines) > most:
        lines = [*lines[: most - 1], " ".join(lines[most - 1 :])]
    return [clip(line, width, long) for line in lines]


def _write(
    draw: ImageDraw, lines: Sequence[str], left: float, top: float, size: int, fill: str
) -> None:
    for number, line in enumerate(lines):
        where = (left, top + number * size * _LEADING)
        draw.text(where, line, fill=fill, font=font(size, False))
