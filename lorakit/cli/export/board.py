"""`lorakit export board`: a story as subtitles, a shot list, an editor's timeline, or pages."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lorakit.cli import outcome
from lorakit.cli.export import target as targets

if TYPE_CHECKING:
    from lorakit.diagnostics import Diagnostic
    from lorakit.doors.cut import Cut
    from lorakit.plan.expand import Expanded
    from lorakit.plan.film_times import FilmTimes
    from lorakit.session import Session

_QUIET = 2.0  # seconds without a word
FORMATS = ("srt", "vtt", "csv", "otio", "fcpxml", "pdf")


@click.command("board", short_help="A story as subtitles, a shot list, a timeline, pages.")
@targets.document_options
@click.option(
    "--format",
    "style",
    type=click.Choice(FORMATS),
    required=True,
    help="srt, vtt: subtitles. csv: a shot list for spreadsheets. otio, fcpxml: an editor's timeline "
    "(extra editors). pdf: a board to print.",
)
def command(
    session: Session,
    step: str | None,
    style: str,
    out: Path | None,
    force: bool,
    as_json: bool,
) -> int:
    """Write a story for players, spreadsheets and editors, to the frame of its film.

    Times are those of the film that a run makes: its holds, fps and crossfades. Pictures are those of the
    last run, where it drew the same words.
    """
    from lorakit.doors.cut import cut_of, named, step_with_film

    chosen = step_with_film(session.project, step)
    target = targets.target_of(out, named(session.project, chosen), style, force=force)
    found = session.expanded()
    pictures, stale = _pictures(session, found)
    cut, said = cut_of(chosen, found, pictures, _times(session, chosen.name))
    data, more = _written(style, cut, session.project.home)
    targets.write(target, data)
    pictured = style not in ("srt", "vtt")
    warnings = [
        *said,
        *more,
        *(_unseen(stale, cut) if pictured else ()),
        *_of_letters(found, style),
    ]
    facts = {"format": style, "shots": len(cut.shots), "frames": cut.frames, "fps": cut.fps.number}
    targets.tell(target, facts, warnings, as_json_=as_json)
    return outcome.DONE


def _pictures(session: Session, found: Expanded) -> tuple[dict[str, Path], tuple[str, ...]]:
    from lorakit.doors.last_run import last_folder, pictures

    folder = last_folder(session.project.home, session.project.recipe.name)
    return pictures(folder, found.actions) if folder else ({}, ())


def _times(session: Session, step: str) -> FilmTimes | None:
    """The times of a step's film in the last run."""
    from lorakit.doors.last_run import last_folder, times

    folder = last_folder(session.project.home, session.project.recipe.name)
    return times(folder, step) if folder else None


def _unseen(stale: tuple[str, ...], cut: Cut) -> list[Diagnostic]:
    """Say which shots have no picture, and whether the last run drew one of other words."""
    from lorakit.diagnostics import Diagnostic

    lacking = [shot for shot in cut.shots if shot.picture is None]
    if not lacking:
        return []
    old = [shot for shot in lacking if shot.address in stale]
    count = len(lacking)
    message = f"{count} of {len(cut.shots)} shots {'has' if count == 1 else 'have'} no picture"
    if old:
        addresses = list(dict.fromkeys(shot.address for shot in old))
        listed = ", ".join(addresses[:5])
        more = f" and {len(addresses) - 5} more" if len(addresses) > 5 else ""
        message += f"; the last run drew other words for {listed}{more}"
    place = (old or lacking)[0].place
    found = Diagnostic("no-picture", message, place, hints=("lorakit run draws them",))
    return [found.as_warning()]


def _of_letters(found: Expanded, style: str) -> list[Diagnostic]:
    """What no font has is empty on a page."""
    return [one for one in found.warnings if one.code == "no-glyph"] if style == "pdf" else []


def _written(style: str, cut: Cut, home: Path) -> tuple[bytes, tuple[Diagnostic, ...]]:
    """A story in a format, and what the format does not carry."""
    if style in ("srt", "vtt"):
        from lorakit.plan.subtitles import cues, srt, vtt

        shown = cues((shot.caption, shot.frames) for shot in cut.shots)
        if style == "srt":
            return srt(shown, cut.fps).encode(), ()
        return vtt(shown, cut.fps, on_top=cut.captions_on_top).encode(), ()
    if style == "csv":
        from lorakit.doors.shot_list import shot_list

        return shot_list(cut, home).encode(), ()
    if style == "pdf":
        return _pages(cut), ()
    from lorakit.doors import timeline

    if style == "otio":
        return timeline.otio_json(cut).encode(), ()
    text, said = timeline.fcpxml(cut)
    return text.encode(), said


def _pages(cut: Cut) -> bytes:
    from lorakit.doors.pages import pages_of, pdf

    data, many, told = b"", pages_of(cut), time.monotonic()
    for number, written in pdf(cut):
        data = written
        if number < many and time.monotonic() - told > _QUIET:
            told = time.monotonic()
            click.echo(f"page {number} of {many}", err=True)
    return data
