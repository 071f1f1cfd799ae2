"""`lorakit plan`: what a run would make, why, and what it would cost."""

from __future__ import annotations

import json

import click

from lorakit import terminal
from lorakit.cli import outcome
from lorakit.cli.options import Request, planning


@click.command("plan")
@planning
@click.option(
    "--frames", is_flag=True, help="Every frame with its prompt, seed, strength and steps."
)
@click.option("--json", "as_json", is_flag=True, help="The whole plan as JSON.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit code 10 if there is work to do.")
def command(request: Request, frames: bool, as_json: bool, detailed_exitcode: bool) -> int:
    """Show what `lorakit run` would make, why, and what it would cost. Makes nothing."""
    session, selection = request.open()
    plan = session.plan(selection)
    request.check_reach(plan, session.project)
    if as_json:
        from lorakit.ui.plan_view import plan_as_json

        click.echo(json.dumps(plan_as_json(plan), indent=1, ensure_ascii=False))
    else:
        from lorakit.ui.plan_view import show_plan

        show_plan(plan, terminal.console(), frames=frames)
    return outcome.WORK_TO_DO if detailed_exitcode and not plan.complete else outcome.DONE
