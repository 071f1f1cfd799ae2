"""Gates: which pictures pass, which is the best of those that do not, and when no other is needed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from lorakit.records import record

if TYPE_CHECKING:
    from lorakit.plan.tasks.gate import Floors
    from lorakit.store.manifests import Output

Score = Mapping[str, float | None]


@record
class Unless:
    """An action is made unless a picture before it has passed: `scores` are theirs, by address."""

    scores: tuple[str, ...]
    floors: Floors


def read_score(text: str) -> Score:
    """A score as its file has it; {} where that is none, so that nothing passes by it."""
    try:
        told = json.loads(text)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def shortfall(score: Score, floors: Floors) -> float:
    """How far a picture is from passing, 0 where it does: the most that it lacks, as a share of each bound.

    What the sentence does not ask for (None in the score) lacks nothing.
    """
    lacks = [0.0]
    for name in ("character", "sentence"):
        floor = getattr(floors, name)
        if floor:
            found = score.get(name, 0.0)
            lacks.append(0.0 if found is None else (floor - found) / floor)
    if floors.drift:
        drift = score.get("drift", float("inf"))
        lacks.append(0.0 if drift is None else (drift - floors.drift) / floors.drift)
    return max(lacks)


def choose(scores: Sequence[Score], floors: Floors) -> int:
    """The place of the first score that passes, or of the one that lacks least."""
    lacks = [shortfall(score, floors) for score in scores]
    return lacks.index(min(lacks))


def is_spared(
    unless: Unless,
    outputs: Mapping[str, Mapping[str, Output]],
    read: Callable[[Output], str],
) -> bool | None:
    """Whether one of the pictures before has passed; None while that is not known."""
    known = [
        outputs[score]["score"] for score in unless.scores if "score" in outputs.get(score, ())
    ]
    if any(not shortfall(read_score(read(score)), unless.floors) for score in known):
        return True
    return False if len(known) == len(unless.scores) else None
