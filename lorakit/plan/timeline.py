"""What each frame of a film shows: held pictures, crossfades centred on cuts."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple


class Moment(NamedTuple):
    """`frames` film frames of shot number `shot`, mixed with the next by `share` (0 to 1).

    The first of them is number `at` of the shot, counted from 0; where it is mixed, the shot may be over by
    then, or the next not yet begun.
    """

    shot: int
    share: float
    frames: int
    at: int = 0


def fades(lengths: Sequence[int], transition_frames: int | Sequence[int]) -> list[int]:
    """How long the transition at each cut is, in frames, for shots of these lengths in frames.

    Beside a shot shorter than itself it is as long as that shot, so that two never meet.
    """
    cuts = max(0, len(lengths) - 1)
    asked = [transition_frames] * cuts if isinstance(transition_frames, int) else transition_frames
    return [min(one, *pair) for one, pair in zip(asked, itertools.pairwise(lengths), strict=True)]


def timeline(lengths: Sequence[int], transition_frames: int | Sequence[int]) -> Iterator[Moment]:
    """Say what each film frame shows, for shots of these lengths in frames.

    A transition is centred on its cut and takes no time of its own. All have the same `transition_frames`, or
    each cut its own.
    """
    between = fades(lengths, transition_frames)
    before = 0
    for number, length in enumerate(lengths):
        after = between[number] if number < len(between) else 0
        # a frame stands for its middle: with an odd fade the cut falls between two of them
        held = length - before // 2 - after // 2
        if held:
            yield Moment(number, 0.0, held, before // 2)
        odd = after % 2
        for k in range(after - odd):
            share = (k + (1.0 if odd else 0.5)) / after
            yield Moment(number, share, 1, length - after // 2 + k)
        before = after
