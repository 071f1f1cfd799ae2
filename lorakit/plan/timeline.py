"""What each frame of a film shows: held pictures, crossfades centred on cuts."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Moment:
    """`frames` film frames alike: shot number `shot`, mixed with the next by `share` (0 to 1)."""

    shot: int
    share: float
    frames: int


def fades(lengths: Sequence[int], transition_frames: int) -> list[int]:
    """How long the crossfade at each cut is, in frames, for shots of these lengths in frames.

    Beside a shot shorter than itself it is as long as that shot, so that two never meet.
    """
    return [min(transition_frames, a, b) for a, b in itertools.pairwise(lengths)]


def timeline(lengths: Sequence[int], transition_frames: int) -> Iterator[Moment]:
    """Say what each film frame shows, for shots of these lengths in frames.

    A crossfade is centred on its cut and takes no time of its own.
    """
    between = fades(lengths, transition_frames)
    before = 0
    for number, length in enumerate(lengths):
        after = between[number] if number < len(between) else 0
        # a frame stands for its middle: with an odd fade the cut falls between two of them
        held = length - before // 2 - after // 2
        if held:
            yield Moment(number, 0.0, held)
        odd = after % 2
        for k in range(after - odd):
            yield Moment(number, (k + (1.0 if odd else 0.5)) / after, 1)
        before = after
