"""Which narrower waves give the very bits that the full one gives, found by trying.

A frame's key promises the bits of a wave of full width. Where a matrix product or a convolution picks
another kernel for another batch, a narrower call differs in the last bits; where it does not, a wave
with few frames may be called narrow and cost less. Which it is depends on processor, threads, library and
precision, so it is tried: beside a full call that is due anyway a narrow one of the same frames is made, and
their bits are compared. That costs the narrow call alone, and is done only where it is soon saved.
"""

from __future__ import annotations

from lorakit.rendering.known_widths import KnownWidths, Tried

_TRIES = 2  # equal calls after which a width is taken


class Widths:
    """Which width to call rows with, where fewer are under way than the full `width`."""

    def __init__(self, width: int, known: KnownWidths) -> None:
        self._width = width
        self._known = known
        self._tried: dict[object, Tried] = {}

    def choose(self, sort: object, count: int, calls: int) -> tuple[int, int | None]:
        """The width to call `count` rows of a `sort` with, and a narrower one to try beside it.

        `calls` are those that these rows have before them.
        """
        if count >= self._width:
            return self._width, None
        tried = self._of(sort)
        for narrow in _powers(count, self._width):
            if tried.get(narrow, 0) >= _TRIES:
                return narrow, None
            if narrow not in tried or tried[narrow] > 0:
                left = _TRIES - tried.get(narrow, 0)
                saved = (self._width - narrow) * (calls - left)
                return self._width, narrow if saved > left * narrow else None
        return self._width, None

    def tell(self, sort: object, narrow: int, *, equal: bool) -> None:
        """What came of a try; kept once it is settled."""
        tried = self._of(sort)
        tried[narrow] = tried.get(narrow, 0) + 1 if equal else 0
        if tried[narrow] in (0, _TRIES):
            settled = {width: equal for width, equal in tried.items() if equal in (0, _TRIES)}
            self._known.keep(sort, settled)

    def _of(self, sort: object) -> Tried:
        if sort not in self._tried:
            self._tried[sort] = self._known.tried(sort)
        return self._tried[sort]


def _powers(count: int, width: int) -> list[int]:
    """The widths that hold `count` rows and are narrower than `width`, ascending."""
    return [narrow for narrow in (1, 2, 4, 8, 16) if count <= narrow < width]
