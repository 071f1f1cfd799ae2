"""When each frame of a scene is shown, in seconds from the scene's beginning, as far as its board says it."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from lorakit.language.story.controls import Control
from lorakit.language.story.documents import Scene, Sentence, Storyboard, Video
from lorakit.language.story.spoken_words import lasts_by_words, narrated, words_of


class FrameMoment(NamedTuple):
    """A frame, `number` of its scene from 0 on, and its `seconds`.

    These are None where that depends on how long words or music last.
    """

    scene: Scene
    number: int
    sentence: Sentence
    seconds: Fraction | None


def moments(board: Storyboard) -> Iterator[FrameMoment]:
    """All frames of a board, repeated ones among them; without a film they are held as long as in one."""
    video = board.video or Video()
    rate = Fraction(video.fps)
    film = _title(video)  # film frames so far; None where nobody knows
    begins = video.title is None
    for scene in board.scenes:
        begun: int | None = film
        own: int | None = None
        for number, sentence in enumerate(scene.sentences):
            if sentence.at is not None and not begins:
                film = sentence.at.in_frames(video.fps)
                own = None if begun is None else film - begun
            begins = False
            if not number:
                begun, own = film, 0
            yield FrameMoment(
                scene, number, sentence, None if own is None else Fraction(own) / rate
            )
            lasts = _hold(sentence, video)
            film = None if film is None or lasts is None else film + lasts
            own = None if own is None or lasts is None else own + lasts


def held_by_films(board: Storyboard) -> Iterator[tuple[FrameMoment, Control, Path]]:
    """Those of its frames that a film holds, by what, and the film."""
    every = (sentence.control for scene in board.scenes for sentence in scene.sentences)
    if not any(control is not None and control.film for control in every):
        return
    for one in moments(board):
        control = one.sentence.control
        if control is not None and control.film is not None:
            yield one, control, control.film


def _title(video: Video) -> int | None:
    """How many film frames the card before the film stays; None where music says so."""
    if video.title is None:
        return 0
    return None if video.fit is not None else max(1, video.title.seconds.in_frames(video.fps))


def _hold(sentence: Sentence, video: Video) -> int | None:
    """How many film frames a picture stays; None where words or music say so."""
    if video.fit is not None or _by_words(sentence, video):
        return None
    return max(1, (sentence.hold or video.hold).in_frames(video.fps))


def _by_words(sentence: Sentence, video: Video) -> bool:
    """Whether a picture stays as long as its words last."""
    said = sentence.audio is not None or narrated(words_of(sentence), video)
    return said and lasts_by_words(sentence.by_words, video)
