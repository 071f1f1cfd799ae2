"""What moves in a film: the clips of its frames, and what each shot shows of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace
from itertools import accumulate

from lorakit.language.story.documents import Video
from lorakit.plan.actions import Action
from lorakit.plan.kind import Clip
from lorakit.plan.tasks.film import ClipPart
from lorakit.records import record


@record
class FilmMotion:
    """The `actions` that make a film's clips; `parts` has, by the number of a sentence's clip, what is shown.

    That is the address of the action, and which part of what it makes.
    """

    actions: tuple[Action, ...] = ()
    parts: Mapping[int, tuple[str, ClipPart]] = field(default_factory=dict)


STILL = FilmMotion()


def film_motion(step: str, clips: Sequence[Clip], video: Video) -> FilmMotion:
    """The clips of a step's film; a frame that is repeated goes on moving, under another caption."""
    runs = list(_runs(clips))
    if not runs:
        return STILL
    from lorakit.kinds.moved_frame import MovedFrame

    actions: list[Action] = []
    parts: dict[int, tuple[str, ClipPart]] = {}
    for run in runs:
        lengths = [(clips[at].hold or video.hold).in_frames(video.fps) for at in run]
        clip = clips[run[0]]
        assert clip.motion is not None
        moved = MovedFrame(step, clip, clip.motion, sum(lengths), video)
        behind = clips[run[-1] + 1] if run[-1] + 1 < len(clips) else None
        made = moved.actions(behind)
        if not made:
            continue
        actions += made
        part = moved.part
        for at, first in zip(run, accumulate(lengths, initial=0), strict=False):
            parts[at] = made[-1].id, replace(part, first=first)
    return FilmMotion(tuple(actions), parts)


def _runs(clips: Sequence[Clip]) -> Iterator[list[int]]:
    """The numbers of clips that are one movement each."""
    run: list[int] = []
    for number, clip in enumerate(clips):
        if run and clip.continues:
            run.append(number)
            continue
        if run:
            yield run
        run = [number] if clip.motion is not None and clip.motion.motion.moves else []
    if run:
        yield run
