"""A film's times, settled by what its speeches and its song's beats have come to; and what contradicts them.

The run settles them once all is spoken and heard. A plan that finds that in the store tells the same before.
"""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from lorakit.diagnostics import Diagnostic, Place
from lorakit.facts.sounds.decoding import RATE
from lorakit.plan.actions import Action
from lorakit.plan.states import Planned
from lorakit.plan.store_view import StoreView
from lorakit.plan.tasks.speech import SpeechTask, TimingTask
from lorakit.plan.timing import Stay, in_words, timed, words_in_frames

_SHORTEST = Fraction(1, 20)  # s of a song that can begin anew


class Contradiction(NamedTuple):
    """What does not go together, a message with a way out, and where it is written, `file:line:column`."""

    message: str
    way: str
    place: str


def settled(
    task: TimingTask, speech: Mapping[str, int], beats: str = ""
) -> tuple[list[int], list[Contradiction]]:
    """How many film frames each clip takes, and what does not go together.

    `speech` has the samples of each input that is said. `beats` is what the file of the song's says, empty
    where the film asks for none. Raises ValueError where that says nothing of the kind.
    """
    rate = Fraction(*task.rate)
    slots = [
        Stay(
            clip.hold,
            words_in_frames(speech[clip.speech], RATE, rate) if clip.speech else 0,
            clip.by_words,
            task.pause,
            clip.at,
        )
        for clip in task.clips
    ]
    lasts = (task.total or 0) + sum(one.length + (one.at or 0) for one in slots)
    marks = _marks(beats, rate, lasts) if beats else ()
    lengths, wrong = timed(slots, total=task.total, beats=marks, song=task.song)
    places = [
        task.song_place if one.kind == "song" else task.clips[one.slot].place for one in wrong
    ]
    told = [
        Contradiction(*in_words(one, rate), place) for one, place in zip(wrong, places, strict=True)
    ]
    return lengths, told


def _marks(beats: str, rate: Fraction, frames: int) -> list[int]:
    """The film frames that beats are nearest to, in the song and each time that it begins anew."""
    try:
        told = json.loads(beats)
        song, heard = Fraction(told["seconds"]), [Fraction(one) for one in told["beats"]]
    except (KeyError, TypeError, OverflowError) as error:
        raise ValueError("these are no beats of a song") from error
    times = max(1, math.ceil(frames / rate / song)) if song >= _SHORTEST else 1
    return [round((one + again * song) * rate) for again in range(times) for one in heard]


def findings(
    planned: Sequence[Planned], view: StoreView, excerpt: Callable[[Place], str | None]
) -> Iterator[Diagnostic]:
    """What does not go together in films whose times are yet to be settled, where all of it is known."""
    unsettled = [
        (one, task)
        for one in planned
        if isinstance(task := one.action.task, TimingTask) and one.state.to_make
    ]
    if not unsettled:
        return
    keys = {one.action.id: one.key for one in planned}
    for one, task in unsettled:
        with contextlib.suppress(ValueError):
            for each in _contradictions(one.action, task, keys, view):
                place = Place.of(each.place) if each.place else one.action.place
                line = excerpt(place) if place is not None else None
                yield Diagnostic("timing", each.message, place, line, (each.way,))


def _contradictions(
    action: Action, task: TimingTask, keys: Mapping[str, str | None], view: StoreView
) -> list[Contradiction]:
    """None where anything has yet to be spoken or heard. Raises ValueError where a file says nothing."""
    speech: dict[str, int] = {}
    beats = ""
    for source in action.inputs:
        key = keys[source.action]
        made = view.manifest(key) if key is not None else None
        output = made.outputs.get(source.output) if made is not None else None
        if output is None:
            return []
        if source.output == "beats":
            beats = view.text(output)
            known = bool(beats)
        else:
            speech[source.role] = SpeechTask.samples(output.size)
            known = speech[source.role] > 0
        if not known:
            return []
    return settled(task, speech, beats)[1]
