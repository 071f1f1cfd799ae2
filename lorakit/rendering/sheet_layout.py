"""Where everything of a contact sheet stands: the largest thumbnails with which it stays a sheet.

Pure arithmetic on sizes and on a measure of text, so that it can be tested without a picture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorakit.records import record
from lorakit.rendering.captions import wrap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Measure = Callable[[str, int, bool], float]  # text, size in px, bold

MARGIN, GAP = 40, 12
WIDTH = 1600  # px
TITLE, SUBTITLE = 30, 15
_WIDEST_TITLE = 220  # px that a scene's title may stand out over a single thumbnail
MOST_PIXELS = 20_000_000
_SLENDER = 1.3  # a sheet taller than this for its width is better set in columns
# thumbnails of this side, in px, are taken where the sheet is no taller than this: up to a page and
# a half it reads as a sheet, beyond that one scrolls anyway and rather sees something
_SIDES = {248: 2400, 224: 2400, 192: 2400, 160: 2400, 128: 2400, 104: 2400}
_SIDES |= {80: 6000, 64: 8000, 48: 12_000, 32: 12_000}


@record
class Text:
    """A line of text: where its box begins, its size in px, and how loud it is."""

    left: float
    top: float
    text: str
    size: int
    bold: bool = False
    faint: bool = False


@record
class Cell:
    """Where a picture stands: group and number in it from 0, the box in px."""

    group: int
    number: int
    left: int
    top: int


@record
class Layout:
    """A whole sheet in px: its size, the thumbnails' size, and all that stands on it."""

    width: int
    height: int
    thumbnail: tuple[int, int]
    cells: tuple[Cell, ...]
    texts: tuple[Text, ...]
    left_out: int


def lay_out(
    title: str,
    groups: Sequence[tuple[str, Sequence[str]]],
    shape: tuple[int, int],
    measure: Measure,
) -> Layout:
    """Choose the largest thumbnails with which a sheet of (title, captions) groups stays readable.

    `shape` is a picture's size. Groups stand one below the other while that fits, then in columns.
    What would exceed the greatest size of a sheet is left out and counted.
    """
    for side, tallest in _SIDES.items():
        layout = _Page(side, shape, measure, beside=False).fill(title, groups)
        if layout.height > _SLENDER * layout.width:
            layout = _Page(side, shape, measure, beside=True).fill(title, groups)
        if layout.height <= tallest and not layout.left_out:
            break
    return layout


def clip(text: str, width: float, measure: Callable[[str], float]) -> str:
    """Shorten a text to a width with an ellipsis."""
    if measure(text) <= width:
        return text
    while text and measure(f"{text.rstrip()}…") > width:
        text = text[:-1]
    return f"{text.rstrip()}…"


class _Page:
    """One attempt at a layout, with thumbnails about `side` px wide."""

    def __init__(
        self, side: int, shape: tuple[int, int], measure: Measure, *, beside: bool
    ) -> None:
        # thumbnails of one area whatever their shape, so that tall pictures do not eat the page
        scale = side / (shape[0] * shape[1]) ** 0.5
        self.wide = max(8, min(WIDTH - 2 * MARGIN, round(shape[0] * scale)))
        self.high = max(8, round(shape[1] * scale))
        self.gap = GAP if side >= 80 else 5
        self.per_row = max(1, (WIDTH - 2 * MARGIN + self.gap) // (self.wide + self.gap))
        self.heading = 18 if side >= 128 else 14
        self.letters = 13 if side >= 160 else 11
        self.lines = 3 if side >= 160 else 2 if side >= 104 else 0
        self.beside = beside
        self.measure = measure
        self.cells: list[Cell] = []
        self.texts: list[Text] = []
        self.right = 0.0

    def fill(self, title: str, groups: Sequence[tuple[str, Sequence[str]]]) -> Layout:
        count = sum(len(captions) for _, captions in groups)
        shown_title = clip(title, WIDTH - 2 * MARGIN, lambda t: self.measure(t, TITLE, True))
        counted = f"{count:,} picture{'' if count == 1 else 's'}"
        self.texts = [
            Text(MARGIN, MARGIN - 6, shown_title, TITLE, bold=True),
            Text(MARGIN, MARGIN + 34, counted, SUBTITLE, faint=True),
        ]
        self.right = MARGIN + max(self.measure(shown_title, TITLE, True), 400)
        top, placed = MARGIN + 76, 0
        for shelf in self._shelves(groups):
            bottom = self._shelf(top, shelf, groups)
            if placed and (bottom + MARGIN + 40) * WIDTH > MOST_PIXELS:
                gone = {number for number, _, _ in shelf}
                self.cells = [cell for cell in self.cells if cell.group not in gone]
                self.texts = [text for text in self.texts if text.top < top]
                more = f"… and {count - placed:,} more pictures"
                self.texts.append(Text(MARGIN, top, more, SUBTITLE, faint=True))
                top += 40
                break
            placed += sum(len(groups[number][1]) for number, _, _ in shelf)
            top = bottom
        width = min(WIDTH, round(self.right) + MARGIN)
        return Layout(
            *(width, top + MARGIN // 2, (self.wide, self.high)),
            *(tuple(self.cells), tuple(self.texts), count - placed),
        )

    def _shelves(
        self, groups: Sequence[tuple[str, Sequence[str]]]
    ) -> Iterator[list[tuple[int, int, int]]]:
        """Yield groups that stand beside each other, each as (number, left, width)."""
        shelf: list[tuple[int, int, int]] = []
        left = MARGIN
        for number, (title, captions) in enumerate(groups):
            if not captions:
                continue
            across = min(len(captions), self.per_row)
            pictures = across * (self.wide + self.gap) - self.gap
            heading = self.measure(title, self.heading, True) if title else 0
            width = max(pictures, min(_WIDEST_TITLE, round(heading)))
            if shelf and (not self.beside or left + width > WIDTH - MARGIN):
                yield shelf
                shelf, left = [], MARGIN
            shelf.append((number, left, width))
            left += width + 3 * self.gap
        if shelf:
            yield shelf

    def _shelf(
        self,
        top: int,
        shelf: list[tuple[int, int, int]],
        groups: Sequence[tuple[str, Sequence[str]]],
    ) -> int:
        bottom = top
        for number, left, width in shelf:
            title, captions = groups[number]
            below = top
            if title:
                shown = clip(title, width, lambda t: self.measure(t, self.heading, True))
                self.texts.append(Text(left, top, shown, self.heading, bold=True))
                below += round(self.heading * 1.6)
            for first in range(0, len(captions), self.per_row):
                below = self._row(left, below, number, first, captions)
            self.right = max(self.right, left + width)
            bottom = max(bottom, below)
        return bottom + (20 if self.heading > 14 else 12)

    def _row(self, left: int, top: int, group: int, first: int, captions: Sequence[str]) -> int:
        deepest = 0
        for number, caption in enumerate(captions[first : first + self.per_row], first):
            x = left + (number - first) * (self.wide + self.gap)
            self.cells.append(Cell(group, number, x, top))
            lines = self._caption(caption) if self.lines and caption else []
            deepest = max(deepest, len(lines))
            for row, line in enumerate(lines):
                y = top + self.high + 6 + row * self.letters * 1.35
                self.texts.append(Text(x, y, line, self.letters))
        under = 8 + round(deepest * self.letters * 1.35) if deepest else 0
        return top + self.high + under + self.gap

    def _caption(self, caption: str) -> list[str]:
        def width(text: str) -> float:
            return self.measure(text, self.letters, False)

        lines = wrap(caption, width, self.wide, balanced=False)
        if len(lines) <= self.lines:
            return lines
        rest = " ".join(lines[self.lines - 1 :])
        return [*lines[: self.lines - 1], clip(rest, self.wide, width)]
