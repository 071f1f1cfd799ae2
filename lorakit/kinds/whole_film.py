"""All that a step's film is made by: clips that move, pictures, what is said and heard, finished films."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from lorakit.kinds.cards import with_cards
from lorakit.kinds.film import films, picture_size
from lorakit.kinds.finished import chapters_of, finished, scene_films, source_type
from lorakit.kinds.letters import font_face
from lorakit.kinds.motion import film_motion
from lorakit.kinds.sound import sound_of
from lorakit.kinds.spoken import FilmWords
from lorakit.kinds.subtitles import subtitles
from lorakit.kinds.written_films import written
from lorakit.language.story.documents import Video
from lorakit.language.story.film_formats import Formats
from lorakit.plan.actions import Action
from lorakit.plan.kind import Clip
from lorakit.plan.tasks.film import FilmTask
from lorakit.records import record

_PREVIEW, _ENOUGH = 240, 60  # px high, and the quality, of a preview


@record
class WholeFilm:
    """The `actions` of a film in each of its formats; `pictures` is the first one's.

    `clips` are what it shows, with its cards.
    """

    actions: tuple[Action, ...]
    pictures: Action
    clips: tuple[Clip, ...]


def whole_film(
    step: str,
    title: str,
    clips: Sequence[Clip],
    words: FilmWords,
    size: tuple[int, int],
    aspect: tuple[int, int] | None,
    made_by: Iterable[Action],
) -> WholeFilm:
    """The film of a step's clips, whose pictures of `size` px are made by some actions."""
    preview = words.context.preview
    if preview:
        words = replace(words, video=_previewed(words.video, size))
    video, face = words.video, font_face(words.video)
    cards = with_cards(step, title, clips, video, picture_size(aspect, size, video.height), face)
    foreseen = words.estimated(cards.clips)
    moving = film_motion(step, foreseen, video)
    formats = written(video, words.context.facts.ffmpeg)
    shown = films(step, title, foreseen, video, size, aspect, moving, formats, face)
    if preview:
        shown = tuple(map(_quick, shown))
    sound = sound_of(shown, foreseen, words)
    chapters = list(chapters_of(foreseen, video))
    source = source_type(clips, {action.id: action.task for action in made_by})
    signing = words.context.facts.signing
    actions = [*cards.actions, *moving.actions, *sound.actions]
    actions.append(subtitles(shown[0], foreseen, video, sound.timing))
    for film in sound.films:
        actions += finished(
            film, title, chapters, source, sound.timing, sound.heard_in(film), signing
        )
    film = sound.films[0]
    for scene in scene_films(film, foreseen, chapters) if video.scenes else ():
        actions += finished(
            scene.pictures,
            f"{title}: {scene.title}",
            (),
            source,
            sound.timing,
            sound.heard_in(film),
            signing,
            scene.part,
        )
    return WholeFilm(tuple(actions), shown[0], cards.clips)


def _previewed(video: Video, size: tuple[int, int]) -> Video:
    """A film of the same pictures for the same time, small and in one format."""
    height = min(video.height or size[1], _PREVIEW)
    one = Formats(("mp4",))
    return replace(video, height=height, format=one, codec=None, encoder=None, quality=_ENOUGH)


def _quick(film: Action) -> Action:
    assert isinstance(film.task, FilmTask)
    return replace(film, task=replace(film.task, quick=True))
