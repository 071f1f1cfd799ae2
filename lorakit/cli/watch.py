"""`lorakit watch`: draw what changes as it is saved, and show it in a browser."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import sys
import webbrowser
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import click

from lorakit import terminal
from lorakit.cli import outcome
from lorakit.cli.interrupt import Interrupt
from lorakit.cli.options import Request, planning
from lorakit.diagnostics import InvalidDocument, LorakitError, as_json, render

if TYPE_CHECKING:
    from lorakit.execute.events import Event, RunFinished
    from lorakit.plan.selection import Selection
    from lorakit.plan.states import Plan
    from lorakit.session import Session
    from lorakit.watch.files import NotingReader

_NEEDS = ("watchfiles", "starlette", "uvicorn")


@click.command("watch")
@planning
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="By default one that is free."
)
@click.option(
    "--open/--no-open",
    "opens",
    default=None,
    help="Open the page in a browser; by default on a terminal.",
)
@click.option("--plain", is_flag=True, help="Lines instead of a live view.")
@click.option("--json", "as_lines", is_flag=True, help="What happens as JSON lines.")
def command(request: Request, port: int, opens: bool | None, plain: bool, as_lines: bool) -> int:
    """Draw what changes whenever RECIPE, or a file that it leads to, is saved; a page in the browser follows.

    The model stays loaded from one save to the next. Ctrl-C ends it.
    """
    missing = [name for name in _NEEDS if importlib.util.find_spec(name) is None]
    if missing:
        raise LorakitError(f"watch needs {', '.join(missing)}: pip install 'lorakit[watch]'")
    if not request.document.exists():
        request.open()  # says which there are
    from lorakit.execute.pool import Workers
    from lorakit.watch.rounds import Rounds
    from lorakit.watch.server import Server
    from lorakit.watch.shown import Shown

    def read(reader: NotingReader) -> tuple[Session, Selection]:
        try:
            return request.open(reader)
        except click.UsageError as error:
            raise LorakitError(error.message) from error

    interrupt = Interrupt()
    shown = Shown(request.document)
    view = _Lines() if as_lines else _Words(plain=plain)
    server = Server(shown, port)
    with Workers() as workers:
        server.start()
        try:
            view.begin(str(request.document), server.url)
            if opens or (opens is None and sys.stdout.isatty() and not as_lines):
                webbrowser.open(server.url)
            Rounds(read, shown, view, workers, lambda: interrupt.asked).run()
        finally:
            server.close()
    view.end()
    return outcome.DONE


class _Words:
    """For people: a line a round, errors as `validate` has them, runs as `run` shows them."""

    def __init__(self, *, plain: bool) -> None:
        self._plain = plain
        self._rounds = 0

    def begin(self, document: str, url: str) -> None:
        click.echo(f"watching {terminal.quoted(document)} and what it leads to; Ctrl-C ends it")
        click.echo(f"page     {url}")

    def end(self) -> None:
        click.echo("ended; what was made is kept")

    def reading(self) -> None:
        self._rounds += 1
        if self._rounds > 1:
            click.echo(f"\n{datetime.now():%H:%M:%S}  saved")  # noqa: DTZ005 - the user's own clock

    def invalid(self, error: LorakitError) -> None:
        if isinstance(error, InvalidDocument):
            click.echo(render(error.diagnostics), err=True)
        else:
            click.echo(f"error: {terminal.indented(str(error))}", err=True)
        click.echo("waiting for it to be mended", err=True)

    @contextlib.contextmanager
    def run(self, plan: Plan) -> Iterator[Callable[[Event], None]]:
        if not plan.to_make:
            yield lambda _: None
            return
        from lorakit.ui.live import view_for

        with view_for(plan, terminal.console(), plain=self._plain) as view:
            yield view.handle

    def ended(self, finished: RunFinished, *, anew: bool) -> None:
        if anew:
            click.echo("stopped: a file was saved meanwhile")
        elif finished.ending == "done" and not finished.made:
            click.echo(f"up to date: {terminal.quoted(finished.folder)}")


class _Lines:
    """For scripts: JSON lines."""

    def _say(self, **told: object) -> None:
        click.echo(json.dumps(told, ensure_ascii=False))

    def begin(self, document: str, url: str) -> None:
        self._say(type="watching", document=document, url=url)

    def end(self) -> None:
        self._say(type="ended")

    def reading(self) -> None:
        self._say(type="reading")

    def invalid(self, error: LorakitError) -> None:
        found = [as_json(d) for d in getattr(error, "diagnostics", ())]
        self._say(type="invalid", message=str(error), findings=found)

    @contextlib.contextmanager
    def run(self, plan: Plan) -> Iterator[Callable[[Event], None]]:  # noqa: ARG002 - events say it
        yield lambda event: self._say(**event.as_json())

    def ended(self, finished: RunFinished, *, anew: bool) -> None:  # noqa: ARG002 - as above
        self._say(type="waiting", anew=anew)
