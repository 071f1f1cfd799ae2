"""The subtitles that stand beside a film, whether or not its captions are drawn into it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from lorakit.kinds.film import held
from lorakit.kinds.sheet import ASSEMBLY
from lorakit.language.story.documents import Video
from lorakit.plan.actions import Action, Input
from lorakit.plan.cost import Cost
from lorakit.plan.kind import Clip
from lorakit.plan.tasks.subtitles import Subtitle, SubtitlesTask

_COST = Cost(SubtitlesTask.kind, seconds=0.001)


def subtitles(
    film: Action, clips: Sequence[Clip], video: Video, timing: Action | None = None
) -> Action:
    """The action that writes what a film says; `timing` is what settles its times, where something does."""
    rate = Fraction(video.fps)
    texts = tuple(
        Subtitle(clip.caption, 0 if timing else sum(frames for _, frames in held(clip, video)))
        for clip in clips
    )
    task = SubtitlesTask(
        (rate.numerator, rate.denominator),
        texts,
        on_top=video.captions.position == "top",
        timed=timing is not None,
    )
    return Action(
        id=f"{film.id}_subtitles",
        step=film.step,
        group="",
        label=SubtitlesTask.title,
        place=film.place,
        engine=ASSEMBLY,
        task=task,
        cost=_COST,
        inputs=(Input("timing", timing.id, "timing"),) if timing else (),
        files={name: (f"{film.step}/{file}",) for name, file in task.files.items()},
    )
