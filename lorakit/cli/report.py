"""`lorakit report`: a run folder's page, made again."""

from __future__ import annotations

import json

import click

from lorakit import terminal
from lorakit.cli import outcome
from lorakit.cli.browser import show


@click.command("report")
@click.argument("run", required=False, metavar="[RUN]")
@click.option("--open", "opens", is_flag=True, help="Show it in the browser.")
@click.option("--json", "as_json", is_flag=True, help="Which run, and where its page is, as JSON.")
def command(run: str | None, opens: bool, as_json: bool) -> int:
    """Write report.html of a run again: its film, pictures, curves, tables and documents on one page.

    RUN is a run folder, or its name: quickstart/003, or quickstart for the newest of that recipe. By default
    it is the newest of all.
    """
    from lorakit.cli.runs import project_runs
    from lorakit.execute.past_runs import meant
    from lorakit.pages.run_report import write_report

    folder = meant(*project_runs(), run)
    page = write_report(folder)
    if as_json:
        told = {"run": str(folder), "report": str(page), "bytes": page.stat().st_size}
        click.echo(json.dumps(told, indent=1, ensure_ascii=False))
    else:
        click.echo(terminal.quoted(str(page)))
    if opens:
        show([page])
    return outcome.DONE
