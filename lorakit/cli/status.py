"""`lorakit status`: which run is going on, what the last one made, what is out of date."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lorakit import terminal
from lorakit.cli import outcome

if TYPE_CHECKING:
    from lorakit.execute.past_runs import PastRun
    from lorakit.upkeep.standing import Standing


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
    from lorakit.execute.past_runs import runs_of
    from lorakit.execute.running import runs_going_on
    from lorakit.language import FolderReader
    from lorakit.language.projects import home_of_folder
    from lorakit.store.store import FOLDER

    home = home_of_folder(FolderReader())
    going = runs_going_on(home / FOLDER)
    if going and not documents:
        if as_json:
            from dataclasses import asdict

            _print({"running": [asdict(one) for one in going]})
        else:
            from lorakit.ui.runs_view import going_on

            for one in going:
                for line in going_on(one):
                    click.echo(line)
        return outcome.DONE
    runs = runs_of(home, {one.folder for one in going})
    return _at_rest(home, runs, documents, as_json=as_json)


def _at_rest(home: Path, runs: list[PastRun], named: tuple[Path, ...], *, as_json: bool) -> int:
    from lorakit.execute.run_folder import OUTPUTS, REPORT
    from lorakit.language.found import documents_below
    from lorakit.plan import numbers
    from lorakit.ui.runs_view import counted
    from lorakit.ui.summary import short_path
    from lorakit.upkeep.standing import standings

    last = runs[-1] if runs else None
    recipes = {run.path.parent.name for run in runs}
    stand, others = standings(named, documents_below(home, besides=home / OUTPUTS), recipes)
    code = outcome.INVALID if named and any(one.trouble for one in stand) else outcome.DONE
    if as_json:
        _print({"running": [], **rest_json(last, stand, others)})
        return code
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
    for one in stand:
        _show(one)
    if others:
        click.echo(f"{numbers.count(others, 'document')} not run yet")
    return code


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


def rest_json(last: PastRun | None, stand: list[Standing], others: int) -> dict[str, object]:
    """The last run, how documents stand and how many were never run, as JSON data."""
    from lorakit.ui.runs_view import run_json

    return {
        "last": run_json(last) if last else None,
        "documents": [_standing_json(one) for one in stand],
        "never_run": others,
    }


def _standing_json(one: Standing) -> dict[str, object]:
    return {
        "document": str(one.document),
        "recipe": one.recipe,
        "actions": one.actions,
        "to_make": one.to_make,
        "seconds": one.seconds,
        "reasons": list(one.reasons),
        "trouble": one.trouble,
    }


def _print(data: dict[str, Any]) -> None:
    click.echo(json.dumps(data, indent=1, ensure_ascii=False))
