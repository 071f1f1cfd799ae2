"""The times of a film, settled once what is said has its length."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from lorakit.diagnostics import LorakitError
from lorakit.plan.film_times import FilmTimes, shared, times_in
from lorakit.plan.settled import Contradiction, settled
from lorakit.plan.tasks.film import FilmShot
from lorakit.plan.tasks.speech import TimingTask
from lorakit.rendering.speech import length


class TimingError(LorakitError):
    """Words, pictures and music do not go together; says where, with both lengths."""


def write_timing(folder: Path, task: TimingTask, inputs: Mapping[str, str]) -> dict[str, str]:
    """Write `timing.json` (`FilmTimes`). Raises TimingError with all that does not go together."""
    speech = {clip.speech: length(Path(inputs[clip.speech])) for clip in task.clips if clip.speech}
    beats = Path(inputs["beats"]).read_text("utf-8") if "beats" in inputs else ""
    lengths, wrong = settled(task, speech, beats)
    if wrong:
        raise TimingError("\n".join(map(_told, wrong)))
    starts = [sum(lengths[:number]) for number in range(len(lengths))]
    pictures = [
        frames
        for clip, frames_of in zip(task.clips, lengths, strict=True)
        for frames in shared(frames_of, clip.pictures)
    ]
    begins = [start for clip, start in zip(task.clips, starts, strict=True) if clip.speech]
    times = FilmTimes(Fraction(*task.rate), tuple(lengths), tuple(pictures), tuple(begins))
    target = folder / TimingTask.file
    target.write_text(times.to_json(), "utf-8")
    return {"timing": str(target)}


def timed_shots(shots: Sequence[FilmShot], timing: str, first: int = 0) -> list[FilmShot]:
    """The shots of a film with the lengths that its timing says; clips last as long as they are shown.

    They are those of its pictures from number `first` on.
    """
    every = times_in(timing).pictures
    lengths = every[first : first + len(shots)]
    shown: Counter[str] = Counter()
    for shot, frames in zip(shots, lengths, strict=True):
        shown[shot.picture] += frames
    begun: Counter[str] = Counter()
    timed = []
    for shot, frames in zip(shots, lengths, strict=True):
        clip = shot.clip
        if clip is not None:
            first, rate = begun[shot.picture], (clip.frames, shown[shot.picture])
            clip = replace(clip, first=first, rate=rate)
            begun[shot.picture] += frames
        timed.append(replace(shot, frames=frames, clip=clip))
    return timed


def _told(wrong: Contradiction) -> str:
    words = f"{wrong.message}; {wrong.way}"
    return f"{wrong.place}: error[timing]: {words}" if wrong.place else words
