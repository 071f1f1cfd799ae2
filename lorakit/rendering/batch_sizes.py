"""Which smaller batches give the very bits that the full one gives, found by trying.

A frame's key promises the bits of a UNet call at the full batch size. Where a matrix product or a convolution
picks another kernel for another batch, a smaller call differs in the last bits; where it does not, a wave
with few frames may be called with few rows and cost less. Which it is depends on processor, threads, library
and precision, so it is tried: beside a full call that is due anyway a smaller one of the same frames is made,
and their bits are compared. That costs the smaller call alone, and is done only where it is soon saved.
"""

from __future__ import annotations

from collections import Counter

from lorakit.rendering.known_batch_sizes import KnownBatchSizes, Tried

_TRIES = 2  # equal calls after which a batch size is taken
_REGRET = (
    4  # full calls' worth of empty rows, after which short frames have shown that more will come
)


class BatchSizes:
    """Which batch size to call rows at, where fewer are under way than the full `batch_size`."""

    def __init__(self, batch_size: int, known: KnownBatchSizes) -> None:
        self._batch_size = batch_size
        self._known = known
        self._tried: dict[object, Tried] = {}
        self._empty: Counter[object] = Counter()  # rows that were filled up, by sort

    def choose(self, sort: object, count: int, calls: int) -> tuple[int, int | None]:
        """The batch size to call `count` rows of a `sort` at, and a smaller one to try beside it.

        `calls` are those that these rows have before them.
        """
        if count >= self._batch_size:
            return self._batch_size, None
        tried = self._of(sort)
        for smaller in _powers(count, self._batch_size):
            if tried.get(smaller, 0) >= _TRIES:
                return smaller, None
            if smaller not in tried or tried[smaller] > 0:
                self._empty[sort] += self._batch_size - count
                left = _TRIES - tried.get(smaller, 0)
                saved = (self._batch_size - smaller) * (calls - left)
                missed = self._empty[sort] > _REGRET * self._batch_size
                return self._batch_size, smaller if missed or saved > left * smaller else None
        return self._batch_size, None

    def equal(self, sort: object) -> list[int]:
        """The smaller batch sizes that give the full one's bits, as far as they are known."""
        return [size for size, times in self._of(sort).items() if times >= _TRIES]

    def tell(self, sort: object, smaller: int, *, equal: bool) -> None:
        """What came of a try; kept once it is settled."""
        tried = self._of(sort)
        tried[smaller] = tried.get(smaller, 0) + 1 if equal else 0
        if tried[smaller] in (0, _TRIES):
            settled = {size: equal for size, equal in tried.items() if equal in (0, _TRIES)}
            self._known.keep(sort, settled)

    def _of(self, sort: object) -> Tried:
        if sort not in self._tried:
            self._tried[sort] = self._known.tried(sort)
        return self._tried[sort]


def _powers(count: int, batch_size: int) -> list[int]:
    """The batch sizes that hold `count` rows and are smaller than the full one, ascending."""
    return [smaller for smaller in (1, 2, 4, 8, 16) if count <= smaller < batch_size]
