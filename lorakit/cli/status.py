"""`lorakit status`: which run is going on, what the last one made, what is out of date."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lorakit import terminal
from lorakit.cli import outcome

if TYPE_CHECKING:
    from lorakit.upkeep.project_status import ProjectStatus
    from lorakit.upkeep.standing import Standing

_SHOWN = 5  # held frames that are named


@click.command("status")
@click.argument(
    "documents",
    nargs=-1,
    type=click.Path(path_type=Path),
    metavar="[RECIPE|STORYBOARD]...",
)
@click.option("--json", "as_json", is_flag=True, help="All of it as JSON.")
def command(documents: tuple[Path, ...], as_json: bool) -> int:
    """Say which run is going on and how far it is; else what the last one made and what is out of date.

    Documents that have been run are looked at, or those that are named. It disturbs no run.
    """
    from lorakit.language import FolderReader
    from lorakit.language.projects import home_of_folder
    from lorakit.upkeep.project_status import project_status

    home = home_of_folder(FolderReader())
    status = project_status(home, documents)
    stand = status.documents or ()
    code = outcome.INVALID if documents and any(one.trouble for one in stand) else outcome.DONE
    if as_json:
        click.echo(json.dumps(status.as_json(), indent=1, ensure_ascii=False))
        return code
    _show_running(status)
    if status.documents is not None:
        _show_rest(home, status)
    return code


def _show_running(status: ProjectStatus) -> None:
    from lorakit.ui.runs_view import going_on

    for one in status.running:
        for line in going_on(one):
            click.echo(line)


def _show_rest(home: Path, status: ProjectStatus) -> None:
    from lorakit.execute.run_folder import REPORT
    from lorakit.plan import numbers
    from lorakit.ui.runs_view import counted
    from lorakit.ui.summary import short_path

    last = status.last
    if last is None:
        click.echo(f"no run yet in {terminal.quoted(str(home))}")
    else:
        ago = numbers.duration(max(0.0, time.time() - last.began - last.seconds))
        made = counted(last.told)
        click.echo(
            f"last run  {terminal.quoted(last.name)}, {last.state} {ago} ago"
            f" in {numbers.duration(last.seconds)}{f': {made}' if made else ''}"
        )
        for film in last.told.get("films", ()):
            click.echo(f"  film    {terminal.quoted(short_path(str(film)))}")
        if (last.path / REPORT).is_file():
            click.echo(f"  report  {terminal.quoted(short_path(str(last.path / REPORT)))}")
        click.echo(f"  folder  {terminal.quoted(short_path(str(last.path)))}")
    for one in status.documents or ():
        _show(one)
    if status.others:
        click.echo(f"{numbers.count(status.others, 'document')} not run yet")


def _show(one: Standing) -> None:
    from lorakit.language import FolderReader
    from lorakit.plan import numbers

    name = terminal.quoted(FolderReader().display(one.document))
    if one.trouble:
        click.echo(f"{name}: cannot be planned: {terminal.line(one.trouble)}")
    elif not one.to_make:
        click.echo(f"{name}: up to date")
    else:
        of = numbers.count(one.actions, "action")
        click.echo(f"{name}: {one.to_make:,} of {of} to make, {numbers.about(one.seconds)}")
        for reason in one.reasons:
            click.echo(f"  {terminal.line(reason)}")
        if one.to_make > len(one.reasons):
            click.echo("  …; `lorakit plan` has them all")
    for words in one.waiting:
        click.echo(f"  {terminal.line(words)}")
    if one.held:
        shown = ", ".join(one.held[:_SHOWN])
        more = f" and {len(one.held) - _SHOWN} more" if len(one.held) > _SHOWN else ""
        click.echo(f"  held (inputs changed): {terminal.line(shown)}{more}")
