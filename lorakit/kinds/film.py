"""The film of a step's pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from lorakit.facts.fonts.fallbacks import fallbacks
from lorakit.facts.fonts.font_files import Face
from lorakit.kinds.motion import STILL, FilmMotion
from lorakit.kinds.sheet import ASSEMBLY, pictures_of
from lorakit.language.story.documents import Video
from lorakit.plan.actions import Action, Input
from lorakit.plan.aspect import film_size
from lorakit.plan.cost import assembly_cost
from lorakit.plan.kind import Clip
from lorakit.plan.tasks.film import FilmForm, FilmShot, FilmTask, Join
from lorakit.rendering.fitting import film_size as shape_of_film


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


def picture_size(
    aspect: tuple[int, int] | None, drawn: tuple[int, int], height: int | None
) -> tuple[int, int]:
    """How large a film is in px: of the aspect that was asked for, or of its pictures, `drawn` so large."""
    if aspect:
        return film_size(aspect, drawn, height)
    return shape_of_film(drawn, height)


def films(
    step: str,
    title: str,
    clips: Sequence[Clip],
    video: Video,
    size: tuple[int, int],
    aspect: tuple[int, int] | None = None,
    moving: FilmMotion = STILL,
    formats: Sequence[FilmForm] = (FilmForm(),),
    face: Face | None = None,
) -> tuple[Action, ...]:
    """The film in each of `formats`: each picture for its hold.

    It is as high as pictures of `size` px unless the video says otherwise. In place of pictures that are
    `moving` their clips are shown. Where an `aspect` was asked for it has that, and not the one of its
    pictures. Captions are drawn in `face`, where one is chosen.
    """
    width, height = film_size(aspect, size, video.height) if aspect else (None, None)
    parts = moving.parts
    roles, inputs = pictures_of([c for at, c in enumerate(clips) if at not in parts])
    moved = dict.fromkeys(id_ for id_, _ in parts.values())
    clip_roles = {id_: f"clip_{number:05d}" for number, id_ in enumerate(moved, 1)}
    shown = video.captions.show
    shots = tuple(
        FilmShot(
            clip_roles[parts[at][0]] if at in parts else roles[frame],
            count,
            clip.caption if shown else "",
            parts[at][1] if at in parts else None,
        )
        for at, clip in enumerate(clips)
        for frame, count in held(clip, video)
    )
    fonts = fallbacks((clip.caption for clip in clips), face) if shown else ()
    tasks = [
        FilmTask.of(
            video,
            (width, height or video.height or size[1]),
            shots,
            fonts,
            each,
            joins(clips, video),
        )
        for each in formats
    ]
    units = sum(shot.frames for shot in shots)
    return tuple(
        Action(
            # the first stands where a film of one format does
            id=f"{step}/film.{task.format}" if number else f"{step}/film",
            step=step,
            group="",
            label=title,
            place=video.place,
            engine=ASSEMBLY,
            task=task,
            cost=assembly_cost(task.kind, units, task.height),
            inputs=(*inputs, *(Input(role, id_, "clip") for id_, role in clip_roles.items())),
            files={
                output: tuple(f"{step}/{file}" for file in files)
                for output, files in task.outputs().items()
            },
            units=units,
            needs_approval=video.needs == "approved",
        )
        for number, task in enumerate(tasks)
    )


def joins(clips: Sequence[Clip], video: Video) -> tuple[Join, ...]:
    """How each picture of a film gives way to the next: as the next one's sentence says, or the film."""
    every: list[Join] = []
    for clip in clips:
        comes = [clip.transition or video.transition]
        comes += [video.transition] * (len(clip.frames) - 1)
        every += [Join(one.kind, one.frames(video.fps)) for one in comes]
    return tuple(every[1:])


def held(clip: Clip, video: Video) -> Iterator[tuple[str, int]]:
    """Each picture of a clip with how many frames of the film it stands, one at least."""
    total, many = (clip.hold or video.hold).in_frames(video.fps), len(clip.frames)
    for number, frame in enumerate(clip.frames):
        yield frame, max(1, total * (number + 1) // many - total * number // many)


def pictures_of_film(step: str, actions: Mapping[str, Action]) -> Action | None:
    """What makes the pictures of a step's film in its first format; None where it has no film."""
    return actions.get(f"{step}/film_pictures") or actions.get(f"{step}/film")
