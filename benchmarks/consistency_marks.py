"""What `consistency.py` measures of stories that are drawn: what is right, how alike frames are, drift."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from consistency_arms import Row, Story
from figures import Interval, bootstrap, wilson
from numpy.typing import NDArray
from PIL import Image

from lorakit.rendering.judge import Judge, likeness
from lorakit.rendering.judge_engine import drift
from lorakit.rendering.lab import to_lab

DRIFT_AT = (10, 50, 100)
SHARES = ("character", "hat", "thing", "setting")  # in % of frames
_AROUND = 3  # frames up to a place that its drift is the mean of


class Taken(NamedTuple):
    """What a frame took: seconds by the clock, and of CPU time."""

    seconds: float
    cpu: float


@dataclass(frozen=True)
class Marks:
    """One story drawn one way: figures by column, and the number of frames that shares are of."""

    figures: Mapping[str, float]
    frames: int


def marks(story: Story, row: Row, judge: Judge, apart: float, taken: Taken | None = None) -> Marks:
    """The figures of one story; `apart` is how far its frames are from each other where none binds them."""
    verdicts = judge.look(row)
    behind = list(zip(story.things, verdicts, strict=True))[1:]
    right = {
        "character": [seen.main == story.who for _, seen in behind],
        "hat": [story.hat in seen.hats for _, seen in behind],
        "thing": [seen.prop == thing for thing, seen in behind],
        "setting": [seen.setting == story.setting for _, seen in behind],
    }
    first = gradient(row[0])
    sharp = [gradient(picture) / first for picture in row[1:]]
    figures = {name: 100 * statistics.fmean(values) for name, values in right.items()}
    figures["likeness"] = statistics.fmean(likeness(verdicts[0], seen) for _, seen in behind)
    figures["diversity"] = spread(row) / apart
    for at in DRIFT_AT:
        if len(row) >= at:
            near = row[max(1, at - _AROUND) : at]
            figures[f"dE {at}"] = statistics.fmean(drift(picture, row[0]) for picture in near)
    figures["sharpness"] = statistics.fmean(sharp)
    if len(row) >= DRIFT_AT[-1]:
        figures[f"sharpness {DRIFT_AT[-1]}"] = statistics.fmean(sharp[-10:])
    if taken is not None:
        figures |= {"s/frame": taken.seconds, "CPU s/frame": taken.cpu}
    return Marks(figures, len(behind))


def summary(stories: Sequence[Marks]) -> dict[str, Interval]:
    """Each column's mean over stories with its 95 % interval.

    Stories are resampled (bootstrap); of shares the interval is never narrower than that of their frames
    (Wilson), which says what a row without a miss may still hide.
    """
    found: dict[str, Interval] = {}
    for name in dict.fromkeys(column for one in stories for column in one.figures):
        having = [one for one in stories if name in one.figures]
        told = bootstrap([one.figures[name] for one in having])
        if name in SHARES:
            frames = sum(one.frames for one in having)
            hits = sum(round(one.figures[name] * one.frames / 100) for one in having)
            share = wilson(hits, frames)
            told = Interval(
                100 * share.value,
                min(told.low, 100 * share.low),
                max(told.high, 100 * share.high),
                frames,
            )
        found[name] = told
    return found


def on_the_front(lines: Mapping[str, Mapping[str, Interval]]) -> set[str]:
    """The arms than which none is both more alike and more diverse."""

    def beaten(one: Mapping[str, Interval]) -> bool:
        mine = one["likeness"].value, one["diversity"].value
        return any(
            other["likeness"].value > mine[0] and other["diversity"].value > mine[1]
            for other in lines.values()
        )

    return {name for name, line in lines.items() if not beaten(line)}


def gradient(picture: Image.Image) -> float:
    """How much neighbouring pixels differ."""
    light = np.asarray(picture.convert("L"), np.float64)
    return float(abs(np.diff(light, axis=0)).mean() + abs(np.diff(light, axis=1)).mean())


def spread(row: Sequence[Image.Image]) -> float:
    """How far the first twelve frames of a story are from each other: colours of 16x16 places in CIELAB."""
    seen = [_places(picture) for picture in row[:12]]
    pairs = [(a, b) for a in range(len(seen)) for b in range(a)]
    return statistics.fmean(
        float(np.linalg.norm(seen[a] - seen[b], axis=2).mean()) for a, b in pairs
    )


def _places(picture: Image.Image) -> NDArray[np.float64]:
    """The mean colours (16, 16, 3) of a picture's places."""
    small: Any = np.asarray(picture.resize((16, 16), Image.Resampling.BOX))
    return to_lab(small / 255)
