"""`lorakit attach`: follow a run that goes on in another process, or was begun on another machine."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lorakit import terminal
from lorakit.cli import outcome
from lorakit.cli.interrupt import Interrupt
from lorakit.diagnostics import LorakitError

if TYPE_CHECKING:
    from lorakit.execute.running import Running

_NEWS = 5.0  # s between two lines of how far it is


@click.command("attach")
@click.argument("run", required=False, metavar="[RUN]")
@click.option(
    "--json", "as_json", is_flag=True, help="The run's events as JSON lines, from the first."
)
def command(run: str | None, as_json: bool) -> int:
    """Follow a run that is going on, until it ends; Ctrl-C leaves it running.

    RUN is its folder or its name, as quickstart/003; by default the one that is going on in this project.
    The exit code is the run's own, or 130 where you left it.
    """
    from lorakit.execute.following import events
    from lorakit.execute.running import runs_going_on, still_runs
    from lorakit.language import FolderReader
    from lorakit.language.projects import FOLDER, home_of_folder

    home = home_of_folder(FolderReader())
    one = _meant(home, runs_going_on(home / FOLDER), run)

    def now() -> Running | None:
        alike = [other for other in runs_going_on(home / FOLDER) if other.folder == one.folder]
        return alike[0] if alike else None

    process = still_runs(one.pid)

    def lives() -> bool:
        # its store's lock is free before its last words are written
        return now() is not None or process()

    # asked for in every round: an exception may come where Python drops it, as while it imports
    interrupt = Interrupt()
    tell = _as_json if as_json else _Lines(one, now).tell
    for event in events(Path(one.folder), lives):
        if interrupt.asked:
            click.echo("left; it goes on: `lorakit attach` follows it again", err=True)
            return outcome.INTERRUPTED
        tell(event)
        if event is not None and event.get("type") == "run-finished":
            return outcome.of_ending(str(event.get("ending")))
    raise LorakitError(f"{one.folder} broke off; what was made is kept: run again to go on")


def _meant(home: Path, going: list[Running], name: str | None) -> Running:
    """The run that is to be followed. Raises LorakitError where that is none, or not clear."""
    from lorakit.execute.past_runs import find, runs_of

    if name is None:
        if not going:
            raise LorakitError(
                f"no run is going on in {home}: `lorakit runs` lists those that were"
            )
        if len(going) > 1:
            names = ", ".join("/".join(Path(one.folder).parts[-2:]) for one in going)
            raise LorakitError(f"several runs are going on, {names}: name one of them")
        return going[0]
    found = find(runs_of(home, {one.folder for one in going}), name)
    alive = [one for one in going if one.folder == str(found.path)]
    if not alive:
        raise LorakitError(f"{found.name} is not going on: it is {found.state}")
    return alive[0]


def _as_json(event: Mapping[str, Any] | None) -> None:
    if event is not None:
        click.echo(json.dumps(event, ensure_ascii=False))


class _Lines:
    """How the run stands, then a line for each thing that happens, and now and then how far it is."""

    def __init__(self, run: Running, now: Callable[[], Running | None]) -> None:
        from lorakit.ui.runs_view import going_on

        self._now = now
        self._since = float(run.last[-1].get("at", 0)) if run.last else -1.0
        self._told = time.monotonic()
        for line in going_on(run):
            click.echo(line)

    def tell(self, event: Mapping[str, Any] | None) -> None:
        """Show an event; None where nothing is new."""
        from lorakit.ui.runs_view import event_line, how_far

        if event is not None:
            if float(event.get("at", 0)) > self._since and (line := event_line(event)):
                click.echo(line)
                self._told = time.monotonic()
            if event.get("type") == "run-finished":
                click.echo(f"  folder  {terminal.quoted(str(event.get('folder', '')))}")
        elif time.monotonic() - self._told > _NEWS:
            self._told = time.monotonic()
            run = self._now()
            if run is not None:
                click.echo(f"{run.seconds:9.1f} s  {how_far(run)}")
