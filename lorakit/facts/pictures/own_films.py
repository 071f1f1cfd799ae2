"""Films of the user's own that frames are held by: what each is, as far as its scenes see it."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from lorakit.diagnostics import Place
from lorakit.facts.files.digests import Digests
from lorakit.language.recipe.project import Project
from lorakit.language.story.film_moments import held_by_films
from lorakit.store.seen import Identity, identity

if TYPE_CHECKING:
    from lorakit.facts.pictures.film_frames import FilmFrames

_SPARE = Fraction(1)  # s that are read beyond the last frame that is asked for


def own_films(
    project: Project, digests: Digests, problem: Callable[..., None]
) -> dict[Path, FilmFrames]:
    """Decode every film that frames are held by, until the last of them; what is wrong goes to `problem`."""
    named = _named(project)
    if not named:
        return {}
    from lorakit.facts.pictures.film_frames import FilmReadError

    found: dict[Path, FilmFrames] = {}
    for path, (seconds, place) in named.items():
        try:
            digests.file(path)  # so that whoever reads it later knows whether it is this one
            found[path] = _frames(path, identity(path.stat()), seconds + _SPARE)
        except FilmReadError as error:
            problem(
                "film",
                f"{path.name} cannot be read as a film: {error}",
                place,
                "mp4, mov, webm, mkv and avi are read; ffmpeg makes them of others",
            )
        except OSError as error:
            problem("film", f"{path} cannot be read: {error.strerror}", place)
    return found


def _named(project: Project) -> dict[Path, tuple[Fraction, Place]]:
    """By each film until when it is seen, and where it is named first."""
    named: dict[Path, tuple[Fraction, Place]] = {}
    for board in project.recipe.boards:
        for one, control, film in held_by_films(board):
            until, place = named.get(film, (Fraction(0), control.where("from")))
            named[film] = (max(until, one.seconds or Fraction(0)), place or one.sentence.place)
    return named


@lru_cache(maxsize=64)
def _frames(path: Path, _: Identity, most: Fraction) -> FilmFrames:
    from lorakit.facts.pictures.film_frames import frames_of

    return frames_of(path, most)
