"""The film of a step's pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lorakit.facts.fonts.fallbacks import fallbacks
from lorakit.kinds.sheet import ASSEMBLY, pictures_of
from lorakit.language.story.documents import Video
from lorakit.plan.actions import Action
from lorakit.plan.aspect import film_size
from lorakit.plan.cost import assembly_cost
from lorakit.plan.kind import Clip
from lorakit.plan.tasks.film import FilmShot, FilmTask


def aspect_notes(
    aspect: tuple[int, int] | None, size: tuple[int, int], film: Action | None = None
) -> Iterator[str]:
    """Say how large pictures and film are where the pictures have not quite the aspect that was asked for."""
    if aspect is None or size[0] * aspect[1] == size[1] * aspect[0]:
        return
    shape, sides = f"{aspect[0]}:{aspect[1]}", f"{size[0]}x{size[1]}"
    drawn = f"aspect {shape}: pictures are {sides}, the nearest that the model draws well"
    task = film.task if film else None
    if not isinstance(task, FilmTask) or task.width is None:
        yield drawn
    elif task.width * aspect[1] == task.height * aspect[0]:
        yield f"{drawn}; the film crops them to exactly {task.width}x{task.height}"
    else:
        yield f"{drawn}; the film crops them to {task.width}x{task.height}, the nearest even sides"


def film(
    step: str,
    title: str,
    clips: Sequence[Clip],
    video: Video,
    size: tuple[int, int],
    aspect: tuple[int, int] | None = None,
) -> Action:
    """One film: each picture for its hold, as high as pictures of `size` px unless the video says otherwise.

    Where an `aspect` was asked for it has that, and not the one of its pictures.
    """
    width, height = film_size(aspect, size, video.height) if aspect else (None, None)
    roles, inputs = pictures_of(clips)
    shown = video.captions.show
    task = FilmTask.of(
        video,
        (width, height or video.height or size[1]),
        shots=tuple(
            FilmShot(roles[frame], count, clip.caption if shown else "")
            for clip in clips
            for frame, count in held(clip, video)
        ),
        fallbacks=fallbacks(clip.caption for clip in clips) if shown else (),
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
        files={"film": (f"{step}/{task.file}",)},
        units=units,
        needs_approval=video.needs == "approved",
    )


def held(clip: Clip, video: Video) -> Iterator[tuple[str, int]]:
    """Each picture of a clip with how many frames of the film it stands, one at least."""
    total, many = (clip.hold or video.hold).in_frames(video.fps), len(clip.frames)
    for number, frame in enumerate(clip.frames):
        yield frame, max(1, total * (number + 1) // many - total * number // many)
