"""Pictures side by side: a table whose cells are pictures, for what differs in one thing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorakit.facts.fonts.fallbacks import drawable, fallbacks
from lorakit.facts.pictures.open_picture import PictureError
from lorakit.records import record
from lorakit.rendering.captions import wrap
from lorakit.rendering.contact_sheet import CAPTION, FAINT, PAGE, TITLE, rounded
from lorakit.rendering.fitting import fitted, open_rgb, picture_size
from lorakit.rendering.lettering import Lettering
from lorakit.rendering.sheet_layout import MARGIN, MOST_PIXELS, WIDTH, clip

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from PIL.Image import Image

_GAP, _LARGEST, _SMALLEST = 14, 256, 40
_SIDE, _HEAD, _LETTERS, _LEADING = 190, 17, 14, 1.3  # px: row headings, letters of both headings
_LINES = 4
_TITLE = 30  # px


@record
class Table:
    """Headings, and a picture for each row and column; None where there is none, which `missing` says."""

    title: str
    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Path | None]]]
    missing: str = "not made"


def write_side_by_side(
    target: Path, table: Table, letters: Lettering | None = None
) -> Iterator[tuple[int, int]]:
    """Write a PNG to `target`, yielding (pictures drawn, pictures in all).

    Pictures shrink as they grow in number; rows that would exceed 20 megapixels are left out and counted.
    `letters` None finds fonts on this machine. Raises `PictureError`.
    """
    from PIL import Image

    if letters is None:
        texts = [table.title, *table.columns, *(heading for heading, _ in table.rows)]
        letters = Lettering(fallbacks(texts))
    first = next((path for _, row in table.rows for path in row if path is not None), None)
    if first is None:
        raise PictureError("there is no picture to lay side by side")
    grid = _grid(table, picture_size(first), letters)
    page = Image.new("RGB", (grid.width, grid.height), PAGE)
    _letter(page, table, grid, letters)
    corners = rounded((grid.wide, grid.high))
    shown = table.rows[: grid.shown]
    total = sum(path is not None for _, row in shown for path in row)
    done = 0
    for number, (heading, row) in enumerate(shown):
        top = grid.top + number * grid.pitch
        lines = _lines(letters, heading, _SIDE - _GAP, _LETTERS, max(_LINES, grid.high // 20))
        height = len(lines) * _LETTERS * _LEADING
        at = (MARGIN, top + max(0, (grid.high - height) / 2))
        _write(page, letters, lines, at, _LETTERS, CAPTION)
        for column, path in enumerate(row):
            left = grid.left + column * (grid.wide + _GAP)
            if path is None:
                middle = top + grid.high / 2 - _LETTERS
                letters.draw(page, (left + 8, middle), table.missing, _LETTERS, fill=FAINT)
                continue
            picture = fitted(open_rgb(path), grid.wide, grid.high, bars=PAGE)
            page.paste(picture, (left, top), corners)
            done += 1
            yield done, total
    page.save(target, "PNG", compress_level=6)


@record
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


def _grid(table: Table, shape: tuple[int, int], letters: Lettering) -> _Grid:
    """The largest pictures with which all columns fit the page."""
    count = max(1, len(table.columns))
    left = MARGIN + (_SIDE if any(heading for heading, _ in table.rows) else 0)
    room = (WIDTH - MARGIN - left + _GAP) / count - _GAP
    wide = max(_SMALLEST, min(_LARGEST, int(room)))
    high = max(8, round(wide * shape[1] / shape[0]))
    heads = [_lines(letters, text, wide, _HEAD, _LINES) for text in table.columns]
    tallest = max((len(lines) for lines in heads), default=0)
    top = MARGIN + 56 + round(tallest * _HEAD * _LEADING) + 8
    width = left + count * (wide + _GAP) - _GAP + MARGIN
    width = max(width, round(letters.length(drawable(table.title), _TITLE, bold=True)) + 2 * MARGIN)
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


def _letter(page: Image, table: Table, grid: _Grid, letters: Lettering) -> None:
    def long(text: str) -> float:
        return letters.length(text, _TITLE, bold=True)

    title = clip(drawable(table.title), WIDTH - 2 * MARGIN, long)
    letters.draw(page, (MARGIN, MARGIN - 6), title, _TITLE, fill=TITLE, bold=True)
    for column, lines in enumerate(grid.heads):
        left = grid.left + column * (grid.wide + _GAP)
        top = grid.top - 8 - len(lines) * _HEAD * _LEADING
        _write(page, letters, lines, (left, top), _HEAD, TITLE)
    left_out = len(table.rows) - grid.shown
    if left_out:
        words = f"… and {left_out:,} more rows"
        where = (MARGIN, grid.top + grid.shown * grid.pitch)
        letters.draw(page, where, words, _LETTERS, fill=FAINT)


def _lines(letters: Lettering, text: str, width: int, size: int, most: int) -> list[str]:
    def long(words: str) -> float:
        return letters.length(words, size)

    lines = wrap(drawable(text), long, width) if text else []
    if len(lines) > most:
        lines = [*lines[: most - 1], " ".join(lines[most - 1 :])]
    return [clip(line, width, long) for line in lines]


def _write(
    page: Image,
    letters: Lettering,
    lines: Sequence[str],
    at: tuple[float, float],
    size: int,
    fill: str,
) -> None:
    for number, line in enumerate(lines):
        where = (at[0], at[1] + number * size * _LEADING)
        letters.draw(page, where, line, size, fill=fill)
