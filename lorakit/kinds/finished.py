"""Films as they are handed out: chapters, a title, what made their pictures, and their sound, if any.

The pictures are encoded as without all that, under the same key: whatever is said or heard, they stay.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

from lorakit.facts.files.signing import Signing
from lorakit.kinds.film import held
from lorakit.language.story.documents import Video
from lorakit.language.story.film_formats import FORMATS
from lorakit.plan.actions import Action, Input
from lorakit.plan.cost import Cost
from lorakit.plan.kind import Clip
from lorakit.plan.tasks.film import FilmTask, SourceType
from lorakit.plan.tasks.finished_film import (
    Chapter,
    FilmPart,
    FilmShape,
    FinishedFilmTask,
    SignedFilmTask,
)
from lorakit.plan.tasks.painted import PaintedTask
from lorakit.plan.tasks.task import WorkerTask

_COST = Cost(FinishedFilmTask.kind, seconds=0.02)
_DRAWN_MOTIONS = ("clip", "morph")
# formats whose files have chapters and sound
_CONTAINERS = ("mp4", "webm", "mov")
_SIGNING = 0.3  # s, about, of a picture or a film


class SceneFilm(NamedTuple):
    """The `pictures` of a scene as a film, its title, and which part it is of the whole."""

    pictures: Action
    title: str
    part: FilmPart


def finished(
    film: Action,
    name: str,
    chapters: Sequence[Chapter],
    source_type: SourceType,
    timing: Action | None = None,
    mix: Action | None = None,
    signing: Signing | None = None,
    part: FilmPart | None = None,
) -> list[Action]:
    """A film's pictures, and the film that they become; of a PNG sequence the pictures are all there is.

    Of a `part` of a film it has the sound. `timing` settles its times, where something does, `mix` is what is
    heard, and `signing` who signs it.
    """
    task = film.task
    assert isinstance(task, FilmTask)
    if task.format == "png":  # each of them says it
        task = replace(task, source_type=source_type)
        return signed_pictures(replace(film, task=task), task, name, signing)
    pictures = replace(film, id=f"{film.id}_pictures", label="film's pictures", files={})
    rate = Fraction(task.rate)
    parts = tuple(chapters) if task.format in _CONTAINERS else ()
    inputs = [Input("film", pictures.id, "film")]
    inputs += [Input("sound", mix.id, "sound")] if mix else []
    needs = timing is not None and bool(parts or (part and mix))
    inputs += [Input("timing", timing.id, "timing")] if timing and needs else []
    heard = part if mix else None
    whole = replace(
        film,
        task=FinishedFilmTask(
            task.format,
            name,
            (rate.numerator, rate.denominator),
            tuple(replace(one, frames=0) for one in parts) if timing else parts,
            source_type,
            timed=needs,
            part=replace(heard, begins=0, frames=0) if heard and timing else heard,
            shape=FilmShape(task.fps, film.units, task.height, task.width),
        ),
        cost=replace(_COST, disk=pictures.cost.disk + (mix.units * 24_000 if mix else 0)),
        inputs=tuple(inputs),
        units=max(1, int(film.units / rate)),
        needs_approval=False,  # the pictures wait
    )
    return [pictures, *signed(whole, signing)]


def signed(film: Action, signing: Signing | None) -> list[Action]:
    """A film, and what it is once it is signed, where somebody signs and its format has a place for that."""
    task = film.task
    if signing is None or not isinstance(task, FinishedFilmTask):
        return [film]
    if not FORMATS[task.format].signed_as:
        return [film]
    unsigned = replace(film, id=f"{film.id}_unsigned", label="unsigned film", files={})
    whole = replace(
        film,
        task=_signature(task, task.name, task.shape, signing),
        cost=Cost(SignedFilmTask.kind, seconds=_SIGNING, disk=film.cost.disk),
        inputs=(Input("film", unsigned.id, "film"),),
        units=1,
    )
    return [unsigned, whole]


def signed_pictures(
    film: Action, task: FilmTask, name: str, signing: Signing | None
) -> list[Action]:
    """A sequence of pictures, and what it is once each is signed, where somebody signs.

    None has a stamp of the time: its server would be asked for each.
    """
    if signing is None:
        return [film]
    unsigned = replace(film, id=f"{film.id}_pictures", label="film's pictures", files={})
    pictures = tuple(film.files)
    shape = FilmShape(task.fps, film.units, task.height, task.width)
    of_all = signing._replace(timestamps="")
    whole = replace(
        film,
        task=replace(_signature(task, name, shape, of_all), pictures=pictures),
        cost=Cost(SignedFilmTask.kind, seconds=_SIGNING, disk=film.cost.disk),
        inputs=tuple(Input(one, unsigned.id, one) for one in pictures),
        units=len(pictures),
        needs_approval=False,  # those that are not signed wait
    )
    return [unsigned, whole]


def _signature(
    task: FilmTask | FinishedFilmTask, name: str, shape: FilmShape, signing: Signing
) -> SignedFilmTask:
    """What signs a film of a name and a shape, as somebody signs."""
    return SignedFilmTask(
        task.format,
        name,
        task.source_type,
        signing.digest,
        signing.algorithm,
        certificate_file=str(signing.certificate),
        key_file=str(signing.key),
        timestamps=signing.timestamps,
        shape=shape,
    )


def scene_films(
    film: Action, clips: Sequence[Clip], chapters: Sequence[Chapter]
) -> Iterator[SceneFilm]:
    """The pictures of each scene of a film by itself; none of a PNG sequence, which is no file."""
    task = film.task
    assert isinstance(task, FilmTask)
    if task.format == "png":
        return
    first = shot = begins = 0
    for number, chapter in enumerate(chapters, 1):
        of = clips[first : first + chapter.clips]
        shots = task.shots[shot : shot + sum(len(clip.frames) for clip in of)]
        joins = task.joins[shot : shot + len(shots) - 1]
        roles = {one.picture for one in shots} | {"timing"}
        part = FilmPart(first, chapter.clips, begins, chapter.frames)
        yield SceneFilm(
            replace(
                film,
                id=f"{film.id}_scene_{number}",
                label=chapter.title,
                task=replace(task, shots=shots, joins=joins, first=shot if task.timed else 0),
                inputs=tuple(one for one in film.inputs if one.role in roles),
                files={"film": (f"{film.step}/scenes/{number:02d}.{task.format}",)},
                units=max(1, chapter.frames),
            ),
            chapter.title,
            part,
        )
        first, shot, begins = first + chapter.clips, shot + len(shots), begins + chapter.frames


def chapters_of(clips: Sequence[Clip], video: Video) -> Iterator[Chapter]:
    """A chapter for each scene; none where there is but one."""
    groups = [(group, list(of)) for group, of in itertools.groupby(clips, lambda one: one.group)]
    for group, of in groups if len(groups) > 1 else ():
        frames = sum(count for clip in of for _, count in held(clip, video))
        yield Chapter(group, len(of), frames)


def source_type(clips: Sequence[Clip], tasks: Mapping[str, WorkerTask]) -> SourceType:
    """What made a film's pictures, by the tasks of its frames: nobody knows it of those of the user's own."""
    own, drawn = False, False
    for clip in clips:
        # interpolated, a picture is whose it was
        larger = bool(clip.drawn) and _is_interpolated(tasks.get(clip.picture))
        for frame in clip.as_drawn.frames if larger else clip.frames:
            painted = isinstance(tasks.get(frame), PaintedTask)
            own, drawn = own or painted, drawn or not painted
        moves = clip.motion is not None and clip.motion.motion.kind in _DRAWN_MOTIONS
        drawn = drawn or moves
    if not drawn:
        return "composite"
    return "compositeWithTrainedAlgorithmicMedia" if own else "trainedAlgorithmicMedia"


def _is_interpolated(task: WorkerTask | None) -> bool:
    from lorakit.plan.tasks.upscale import EnlargeTask

    return isinstance(task, EnlargeTask)
