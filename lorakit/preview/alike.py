"""Pictures that are the same, or nearly: by their bytes, else by perceptual hash and then by their colours.

A hash of 64 bits says little of a picture without detail, and all plain ones have the same: so what it takes
for alike is held against each other in colour, place by place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from lorakit.preview.thumbnails import Fingerprint

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

How = Literal["same bytes", "same picture", "mirrored"]
_BITS = 6  # of 64 that may differ: half the size and saved anew costs 4, a quarter of it 6
_NEAR = 12.0  # levels of 255 between them, the mean of all places and colours
_PLAIN = 3.0  # levels that a picture without detail varies by
_PLAIN_NEAR = 2.0
_ROWS = 256  # pictures that are held against all others at once


class Pair(NamedTuple):
    """Two pictures by their places, and how they are alike."""

    first: int
    second: int
    how: How


def pairs(prints: Sequence[Fingerprint]) -> Iterator[Pair]:
    """Yield all pairs that are alike, the lower place first."""
    import numpy as np

    if len(prints) < 2:
        return
    plain = np.array([one.hash for one in prints], np.uint64)
    mirrored = np.array([one.mirrored for one in prints], np.uint64)
    for start in range(0, len(prints), _ROWS):
        rows = plain[start : start + _ROWS, None]
        near = np.bitwise_count(rows ^ plain[None]) <= _BITS
        turned = np.bitwise_count(rows ^ mirrored[None]) <= _BITS
        for row, second in np.argwhere(near | turned):
            first = start + int(row)
            if first >= second:
                continue
            how = _how(prints[first], prints[second], turned=bool(turned[row, second]))
            if how:
                yield Pair(first, int(second), how)


def _how(one: Fingerprint, other: Fingerprint, *, turned: bool) -> How | None:
    if one.digest == other.digest:
        return "same bytes"
    near = (
        _PLAIN_NEAR
        if min(one.tiny.std((0, 1)).max(), other.tiny.std((0, 1)).max()) < _PLAIN
        else _NEAR
    )
    if _between(one.tiny, other.tiny) <= near:
        return "same picture"
    if turned and _between(one.tiny, other.tiny[:, ::-1]) <= near:
        return "mirrored"
    return None


def _between(one: NDArray[np.int16], other: NDArray[np.int16]) -> float:
    import numpy as np

    return float(np.abs(one - other).mean())


def groups(found: Sequence[Pair]) -> list[list[int]]:
    """The places of pictures that are alike, directly or by others, each group in order."""
    owner: dict[int, int] = {}

    def top(place: int) -> int:
        owner.setdefault(place, place)
        while owner[place] != place:
            owner[place] = owner[owner[place]]
            place = owner[place]
        return place

    for first, second, _ in found:
        low, high = sorted((top(first), top(second)))
        owner[high] = low
    members: dict[int, list[int]] = {}
    for place in sorted(owner):
        members.setdefault(top(place), []).append(place)
    return list(members.values())
