"""`lorakit plan`: what a run would make, why, and what it would cost."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import click

from lorakit import terminal
from lorakit.cli import outcome
from lorakit.cli.options import Request, planning
from lorakit.cli.places import machines, on_option

_MOST = 1024  # GB of memory that a card is asked to have


def _sizes(_: click.Context, __: click.Parameter, value: str | None) -> tuple[int, ...]:
    """Sizes of cards in GB, from the words of an option. Raises click.BadParameter."""
    if value is None:
        return ()
    told = [part.strip().upper().removesuffix("GB").strip() for part in value.split(",")]
    if not all(re.fullmatch(r"[1-9]\d{0,3}", part) and int(part) <= _MOST for part in told):
        raise click.BadParameter(f"{value!r} is no list of sizes in GB; write 8,16,24,80")
    return tuple(dict.fromkeys(map(int, told)))


@click.command("plan")
@planning
@click.option(
    "--frames", is_flag=True, help="Every frame with its prompt, seed, strength and steps."
)
@click.option(
    "--cards",
    metavar="GB,…",
    callback=_sizes,
    help="What it would be on GPUs of so much memory each, as in 8,16,24,80.",
)
@on_option
@click.option("--json", "as_json", is_flag=True, help="The whole plan as JSON.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit code 10 if there is work to do.")
def command(
    request: Request,
    frames: bool,
    cards: tuple[int, ...],
    place: str,
    as_json: bool,
    detailed_exitcode: bool,
) -> int:
    """Show what `lorakit run` would make, why, and what it would cost. Makes nothing."""
    session, selection = request.open()
    with machines(place) as places:
        if places is not None:
            session = replace(session, nodes=places.nodes)
        plan = session.plan(selection, cards=cards)
    request.check_reach(plan, session.project)
    if as_json:
        from lorakit.ui.plan_view import plan_as_json

        click.echo(json.dumps(plan_as_json(plan), indent=1, ensure_ascii=False))
    else:
        from lorakit.ui.plan_view import show_plan

        show_plan(plan, terminal.console(), frames=frames)
    return outcome.WORK_TO_DO if detailed_exitcode and not plan.complete else outcome.DONE
