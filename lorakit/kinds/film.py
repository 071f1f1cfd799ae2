"""The film of a step's pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lorakit.kinds.sheet import ASSEMBLY, pictures_of
from lorakit.language.story.documents import Video
from lorakit.plan.actions import Action
from lorakit.plan.cost import assembly_cost
from lorakit.plan.kind import Clip
from lorakit.plan.tasks.film import FilmCaptions, FilmShot, FilmTask


def film(step: str, title: str, clips: Sequence[Clip], video: Video, height: int) -> Action:
    """One film: each picture for its hold, `height` px high unless the video says otherwise."""
    roles, inputs = pictures_of(clips)
    captions = video.captions
    fades = video.transition.kind == "crossfade"
    task = FilmTask(
        fps=video.fps,
        height=video.height or height,
        transition_frames=video.transition.seconds.in_frames(video.fps) if fades else 0,
        captions=FilmCaptions(captions.position, captions.size) if captions.show else None,
        shots=tuple(
            FilmShot(roles[frame], count, clip.caption if captions.show else "")
            for clip in clips
            for frame, count in _shared(clip, (clip.hold or video.hold).in_frames(video.fps))
        ),
    )
    units = sum(shot.frames for shot in task.shots)
    return Action(
        id=f"{step}/film",
        step=step,
        group="",
        label=title,
        place=video.place,
        engine=ASSEMBLY,
        task=task,
        cost=assembly_cost(task.kind, units, task.height),
        inputs=inputs,
        files={"film": (f"{step}/film.mp4",)},
        units=units,
    )


def _shared(clip: Clip, total: int) -> Iterator[tuple[str, int]]:
    """Each frame of a clip with its share of the clip's film frames, one at least."""
    many = len(clip.frames)
    for number, frame in enumerate(clip.frames):
        yield frame, max(1, total * (number + 1) // many - total * number // many)
