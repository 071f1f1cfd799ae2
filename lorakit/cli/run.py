"""`lorakit run`: make what is missing."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import click

from lorakit import terminal
from lorakit.cli import outcome
from lorakit.cli.interrupt import Interrupt
from lorakit.cli.options import Request, planning
from lorakit.cli.places import kept_workers, machines, on_option
from lorakit.cli.progress_line import fetching
from lorakit.cli.until import Until

if TYPE_CHECKING:
    from lorakit.execute.events import Event
    from lorakit.plan.states import Plan


@click.command("run")
@planning
@click.option(
    "--keep-going", is_flag=True, help="Where something fails, go on with what does not need it."
)
@click.option(
    "--plain", is_flag=True, help="Lines instead of a live view; no pictures in the terminal."
)
@click.option(
    "--until",
    type=Until(),
    metavar="TIME",
    help="Stop at 07:00, or after 90m or 8h, as after a first Ctrl-C: a training saves a checkpoint.",
)
@click.option(
    "--verify",
    is_flag=True,
    help="Read every file and all that is kept again, and trust no memory.",
)
@click.option(
    "--copy",
    is_flag=True,
    help="A new folder although nothing is to be made and one holds everything.",
)
@click.option(
    "--locked",
    is_flag=True,
    help="Refuse models and data sets that are not as lorakit.lock has them.",
)
@on_option
@click.option(
    "--detach",
    is_flag=True,
    help="Go on as a process of its own, also where this terminal is closed; see lorakit attach.",
)
@click.option("--json", "as_json", is_flag=True, help="The run's events as JSON lines.")
def command(
    request: Request,
    keep_going: bool,
    plain: bool,
    until: datetime | None,
    verify: bool,
    copy: bool,
    locked: bool,
    place: str,
    detach: bool,
    as_json: bool,
) -> int:
    """Make what is missing: pictures, films, trainings, tables. RECIPE is recipe.yaml by default."""
    if detach:
        from lorakit.cli.detach import run_detached

        return run_detached(sys.argv[1:], as_json=as_json)
    session, selection = request.open()
    if locked:
        session.check_lock()
    with machines(place) as places, kept_workers(places) as workers:
        if places is not None:
            session = replace(session, nodes=places.nodes)
        plan = session.plan(selection, download=True, verify=verify)
        if locked:
            session.check_lock()  # what has been downloaded since
        else:
            session.lock_missing()
        request.check_reach(plan, session.project)
        interrupt = Interrupt()
        plan = session.fetched(
            plan, selection, progress=fetching(), stop=lambda: interrupt.asked, copy=copy
        )

        def stop() -> bool:
            return interrupt.asked or (until is not None and datetime.now(until.tzinfo) >= until)

        with _listener(plan, plain=plain, as_json=as_json) as listener:
            finished = session.run(
                selection,
                keep_going=keep_going,
                copy=copy,
                stop=stop,
                listener=listener,
                plan=plan,
                workers=workers,
            )
    return outcome.of_ending(finished.ending)


@contextmanager
def _listener(plan: Plan, *, plain: bool, as_json: bool) -> Iterator[Callable[[Event], None]]:
    """What shows a run's events: as JSON lines, or as a view of the plan."""
    if as_json:
        yield lambda event: click.echo(json.dumps(event.as_json(), ensure_ascii=False))
        return
    from lorakit.ui.live import view_for

    with view_for(plan, terminal.console(), plain=plain) as view:
        yield view.handle
