"""How long a call takes at each batch size, and whether two of them do the work of one sooner.

On a small model eight rows may take three times as long as one, on a large one eight times: then five rows in
a call of eight wait for three that are thrown away, and go sooner as four and one. That is measured here, not
assumed, and kept with them. Only batch sizes that give the very same bits come into question.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection

from lorakit.rendering.known_batch_sizes import KnownBatchSizes

_SAMPLES = (
    3  # of which the least counts; the first call at a size pays for kernels that are made for it
)
_WORTH = 0.9  # of a call's seconds that two may take together: measured times are not exact


class CallTimes:
    """Seconds of calls by sort of rows and batch size, those that were kept before among them."""

    def __init__(self, known: KnownBatchSizes) -> None:
        self._known = known
        self._times: dict[object, dict[int, float]] = {}
        self._samples: dict[tuple[object, int], list[float]] = {}

    def wanted(self, sort: object, size: int) -> bool:
        """Whether calls of this size are still to be measured."""
        return size not in self._of(sort)

    def tell(self, sort: object, size: int, seconds: float) -> None:
        """A call was measured; its size is settled once there were enough, and kept."""
        samples = self._samples.setdefault((sort, size), [])
        samples.append(seconds)
        if len(samples) == _SAMPLES:
            self._of(sort)[size] = min(samples)
            self._known.keep_seconds(sort, self._of(sort))

    def parts(self, sort: object, count: int, size: int, equal: Collection[int]) -> tuple[int, ...]:
        """The batch sizes to call `count` rows at: `size`, or two that are `equal` where they are sooner."""
        times = self._of(sort)
        if size not in times:
            return (size,)
        sizes = sorted(s for s in equal if s in times and s < size)
        pairs = [
            (large, small)
            for small, large in itertools.combinations_with_replacement(sizes, 2)
            if large < count <= large + small
        ]
        best = min(pairs, key=lambda pair: times[pair[0]] + times[pair[1]], default=None)
        if best is None or times[best[0]] + times[best[1]] > _WORTH * times[size]:
            return (size,)
        return best

    def _of(self, sort: object) -> dict[int, float]:
        if sort not in self._times:
            self._times[sort] = self._known.seconds(sort)
        return self._times[sort]
