"""`lorakit run`: make what is missing."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

import click

from lorakit import terminal
from lorakit.cli import outcome
from lorakit.cli.interrupt import Interrupt
from lorakit.cli.options import Request, planning
from lorakit.cli.until import Until

if TYPE_CHECKING:
    from lorakit.execute.events import Event

_CODES = {"done": outcome.DONE, "failed": outcome.FAILED, "interrupted": outcome.INTERRUPTED}


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
@click.option("--json", "as_json", is_flag=True, help="The run's events as JSON lines.")
def command(
    request: Request,
    keep_going: bool,
    plain: bool,
    until: datetime | None,
    verify: bool,
    copy: bool,
    locked: bool,
    as_json: bool,
) -> int:
    """Make what is missing: pictures, films, trainings, tables. RECIPE is recipe.yaml by default."""
    session, selection = request.open()
    if locked:
        session.check_lock()
    plan = session.plan(selection, download=True, verify=verify)
    if locked:
        session.check_lock()  # what has been downloaded since
    else:
        session.lock_missing()
    request.check_reach(plan, session.project)
    interrupt = Interrupt()
    workers = click.get_current_context().obj

    def stop() -> bool:
        return interrupt.asked or (until is not None and datetime.now(until.tzinfo) >= until)

    if as_json:

        def tell(event: Event) -> None:
            click.echo(json.dumps(event.as_json(), ensure_ascii=False))

        finished = session.run(
            selection,
            keep_going=keep_going,
            copy=copy,
            stop=stop,
            listener=tell,
            plan=plan,
            workers=workers,
        )
    else:
        from lorakit.ui.live import view_for

        with view_for(plan, terminal.console(), plain=plain) as view:
            finished = session.run(
                selection,
                keep_going=keep_going,
                copy=copy,
                stop=stop,
                listener=view.handle,
                plan=plan,
                workers=workers,
            )
    return _CODES[finished.ending]
