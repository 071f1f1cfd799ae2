"""When each picture of a film stands: holds, words that take their time, pins, lengths and beats.

All in whole film frames. Nothing is drawn or heard here: what is spoken is known by its length.
"""

from __future__ import annotations

import itertools
import math
from bisect import bisect_left
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple


class Stay(NamedTuple):
    """A picture's time: `hold` film frames, or with `by_words` as long as what is said.

    `words` are film frames that the speech in it takes, 0 where nothing is said, and `pause` the frames that
    are held behind them. `at` pins its first frame.
    """

    hold: int
    words: int = 0
    by_words: bool = False
    pause: int = 0
    at: int | None = None

    @property
    def length(self) -> int:
        """How many frames it takes where nothing pulls at it."""
        return self.words + self.pause if self.by_words and self.words else self.hold

    @property
    def least(self) -> int:
        """How many it takes at the least."""
        return max(1, self.words)


class Mismatch(NamedTuple):
    """What does not go together at a slot, in film frames: it lasts `lasts`, and has `room`.

    `kind`: `words` are longer than their picture; pictures before a `pin` last beyond it; all of them last
    beyond the film's `end`; the next `beat` is later than a cut may be; the film is longer than its `song`.
    """

    kind: str
    slot: int
    lasts: int
    room: int


def words_in_frames(samples: int, rate: int, fps: Fraction) -> int:
    """How many film frames a speech takes, the last one begun."""
    return math.ceil(Fraction(samples, rate) * fps)


def timed(
    slots: Sequence[Stay],
    *,
    total: int | None = None,
    beats: Sequence[int] = (),
    song: int | None = None,
) -> tuple[list[int], list[Mismatch]]:
    """How many frames each slot takes, and what does not go together.

    Without a `total` the picture before a pin stays until it. With one, pictures between pins are stretched
    or shortened alike, no further than what is said in them lasts, and the film has `total` frames. `beats`
    are frames that cuts are moved to, the nearest one each, where both pictures keep the time of their words.
    A `song` of so many frames does not begin anew.
    """
    wrong = [
        Mismatch("words", number, slot.words, slot.hold)
        for number, slot in enumerate(slots)
        if not slot.by_words and slot.words > slot.hold and total is None
    ]
    lengths: list[int] = []
    begun = 0
    for first, last in _between_pins(slots):
        part = slots[first:last]
        end = slots[last].at if last < len(slots) else total
        if end is None:
            lengths += [slot.length for slot in part]
            continue
        room = end - begun
        begun = end
        lasts = sum(slot.least if total is not None else slot.length for slot in part)
        if lasts > room:
            kind = "pin" if last < len(slots) else "end"
            wrong.append(Mismatch(kind, min(last, len(slots) - 1), lasts, room))
            lengths += [slot.length for slot in part]
        elif total is not None:
            lengths += _stretched(part, room)
        else:
            own = [slot.length for slot in part]
            lengths += [*own[:-1], own[-1] + room - lasts]
    if beats and not wrong:
        lengths, wrong = _on_beats(slots, lengths, beats)
    if song is not None and not wrong and sum(lengths) > song:
        wrong = [Mismatch("song", len(slots) - 1, sum(lengths), song)]
    return lengths, wrong


def _between_pins(slots: Sequence[Stay]) -> list[tuple[int, int]]:
    pins = [number for number, slot in enumerate(slots) if slot.at is not None and number]
    edges = [0, *pins, len(slots)]
    return [(a, b) for a, b in itertools.pairwise(edges) if b > a]


def _stretched(part: Sequence[Stay], room: int) -> list[int]:
    """Lengths that fill a room: all alike longer or shorter, but for those whose words need more."""
    fixed: dict[int, int] = {}
    while True:
        free = [n for n in range(len(part)) if n not in fixed]
        left = room - sum(fixed.values())
        share = Fraction(left, sum(part[n].length for n in free)) if free else Fraction(0)
        tight = [n for n in free if part[n].length * share < part[n].least]
        if not tight:
            break
        fixed |= {n: part[n].least for n in tight}
    if not free:
        fixed[len(part) - 1] += left
    exact = [Fraction(fixed[n]) if n in fixed else part[n].length * share for n in range(len(part))]
    edges = [round(sum(exact[: n + 1], Fraction(0))) for n in range(len(part))]
    lengths = [b - a for a, b in itertools.pairwise([0, *edges])]
    return _none_too_short(part, lengths)


def _none_too_short(part: Sequence[Stay], lengths: list[int]) -> list[int]:
    """Frames that rounding took from words come back from the longest pictures."""
    for number, slot in enumerate(part):
        while lengths[number] < slot.least:
            spare = [n for n in range(len(part)) if lengths[n] > part[n].least]
            if not spare:
                return lengths
            longest = max(spare, key=lambda n: lengths[n])
            lengths[longest] -= 1
            lengths[number] += 1
    return lengths


def _on_beats(
    slots: Sequence[Stay], lengths: list[int], beats: Sequence[int]
) -> tuple[list[int], list[Mismatch]]:
    """Cuts moved to beats, from the first on; a pinned one and the end stay. What has no beat is told."""
    wrong: list[Mismatch] = []
    cuts = [0]
    for length in lengths:
        cuts.append(cuts[-1] + length)
    marks = sorted(set(beats))
    for number in range(1, len(slots)):
        if slots[number].at is not None:
            continue
        pin = next(
            (n for n in range(number + 1, len(slots)) if slots[n].at is not None), len(slots)
        )
        earliest = cuts[number - 1] + slots[number - 1].least
        latest = cuts[pin] - sum(slot.least for slot in slots[number:pin])
        low, high = bisect_left(marks, earliest), bisect_left(marks, latest + 1)
        near = min(marks[low:high], key=lambda mark: abs(mark - cuts[number]), default=None)
        if near is not None:
            cuts[number] = near
            continue
        cuts[number] = min(max(cuts[number], earliest), latest)
        if low < len(marks):  # behind the last beat of all there is nothing to cut on
            begun = cuts[number - 1]
            wrong.append(Mismatch("beat", number, marks[low] - begun, latest - begun))
    return [b - a for a, b in itertools.pairwise(cuts)], wrong


def in_words(wrong: Mismatch, rate: Fraction, *, foreseen: bool = False) -> tuple[str, str]:
    """What does not go together, with both lengths in seconds, and a way out.

    What is `foreseen` may last longer yet.
    """
    lasts, room = (f"{float(frames / rate):.2f} s" for frames in (wrong.lasts, wrong.room))
    if wrong.kind == "words":
        least = f"{math.ceil(float(wrong.lasts / rate) * 10) / 10:g}"
        way = f"write hold: audio, or hold: {least} or more"
        return f"what is said here lasts {lasts}, and its picture {room}", way
    if wrong.kind == "pin":
        way = "pin it later, hold what is before it shorter, or write fit: audio"
        return f"what stands before this pin lasts {lasts}, and has {room}", way
    if wrong.kind == "beat":
        way = "hold pictures longer, pin it elsewhere, or remove beats: true"
        return f"the next beat to cut on is {lasts} away, and what follows leaves {room}", way
    if wrong.kind == "song":
        way = "remove loop: false, shorten the film, or name longer music"
        least = "at least " if foreseen else ""
        return f"the music lasts {room}, and the film {least}{lasts}", way
    way = "say less, name longer music, or remove fit: audio"
    return f"what is said from here on lasts {lasts}, and the music leaves {room}", way
