"""`lorakit export vistory`: a run's frames where ViStoryBench's evaluator reads them."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lorakit.cli import outcome
from lorakit.cli.export import target as targets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorakit.doors.vistory_outputs import ScoredShot
    from lorakit.session import Session


@click.command("vistory", short_help="A run's frames for ViStoryBench's evaluator.")
@targets.document_options
@click.option("--method", default="lorakit", show_default=True, help="What the benchmark calls it.")
@click.option("--mode", default="base", show_default=True, help="Which way of it.")
@click.option(
    "--language",
    type=click.Choice(["en", "ch"]),
    default="en",
    show_default=True,
    help="That of the stories.",
)
@click.option("--story", metavar="NUMBER", help="The story's number; its board's name by default.")
@click.option("--timestamp", metavar="TIME", help="20260131_235959; when the run began by default.")
def command(
    session: Session,
    step: str | None,
    method: str,
    mode: str,
    language: str,
    story: str | None,
    timestamp: str | None,
    out: Path | None,
    force: bool,
    as_json: bool,
) -> int:
    """Write the last run's frames as METHOD/MODE/LANGUAGE/TIME/STORY/shots/shot_01.png.

    --out is the benchmark's folder of outputs, data/outputs by default. Stories are those that lorakit
    import vistory wrote, or any board called by a number.
    """
    from lorakit.diagnostics import InvalidDocument, LorakitError
    from lorakit.doors import vistory_outputs
    from lorakit.doors.last_run import last_folder, pictures

    outputs = Path("data/outputs") if out is None else out
    if str(outputs) == "-":
        raise click.UsageError("pictures go into a folder: --out data/outputs")
    steps = vistory_outputs.steps_of(session.project, step, story)
    found = session.expanded()
    run = last_folder(session.project.home, session.project.recipe.name)
    if run is None:
        raise LorakitError(
            f"{session.project.recipe.name} has not been drawn yet: "
            f"lorakit run {session.project.recipe.path.name}"
        )
    drawn, stale = pictures(run, found.actions)
    shots = [
        shot
        for one, number in steps
        for shot in vistory_outputs.shots_of(one, number, found, drawn)
    ]
    lacking = list(vistory_outputs.undrawn(shots, stale))
    if lacking:
        raise InvalidDocument(lacking)
    timestamp = timestamp or vistory_outputs.timestamp_of(run)
    folder = outputs / vistory_outputs.folder_of(method, mode, language, timestamp)
    _write(folder, shots, force=force)
    facts = {"written": str(folder), "stories": len(steps), "shots": len(shots)}
    if as_json:
        click.echo(json.dumps(facts, indent=1, ensure_ascii=False))
        return outcome.DONE
    told = f"{len(steps)} {'story' if len(steps) == 1 else 'stories'}"
    click.echo(f"written: {folder} ({told}, {len(shots)} shots)")
    call = f"--method {method} --mode {mode} --language {language} --timestamp {timestamp}"
    click.echo(f"next: python bench_run.py {call}, in ViStoryBench")
    return outcome.DONE


def _write(folder: Path, shots: Sequence[ScoredShot], *, force: bool) -> None:
    """Copy the pictures. With `force` shots go that were there before and are none of these."""
    from lorakit.diagnostics import LorakitError
    from lorakit.files import read_regular
    from lorakit.store import atomic
    from lorakit.store.errors import why

    places = {folder / shot.path: shot.picture for shot in shots}
    homes = dict.fromkeys(place.parent for place in places)
    for home in homes:
        if home.exists() and not force:
            raise click.UsageError(
                f"{home} is there already; --force overwrites it, --timestamp gives another name"
            )
    try:
        for place, picture in places.items():
            if picture is not None:
                atomic.write_bytes(place, read_regular(picture), durable=False)
        for old in (one for home in homes for one in home.glob("shot_*") if one not in places):
            with contextlib.suppress(FileNotFoundError):
                old.unlink()
    except OSError as error:
        raise LorakitError(f"{folder} cannot be written: {why(error)}") from error
