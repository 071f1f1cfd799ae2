"""`lorakit runs`: what stands in outputs/."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lorakit import terminal
from lorakit.cli import outcome

if TYPE_CHECKING:
    from lorakit.execute.past_runs import PastRun

_SHOWN = 20


def project_runs() -> tuple[Path, list[PastRun]]:
    """The project of the current folder, and its runs, the oldest first."""
    from lorakit.execute import past_runs
    from lorakit.language import FolderReader
    from lorakit.language.projects import home_of_folder
    from lorakit.store import scratch
    from lorakit.store.store import FOLDER

    home = home_of_folder(FolderReader())
    living = {str(one.get("folder", "")) for one in scratch.living(home / FOLDER)}
    return home, past_runs.runs_of(home, living)


def run_meant(name: str) -> Path:
    """The run folder that a path or a name means, of this project's runs. Raises LorakitError."""
    from lorakit.execute import past_runs

    if Path(name).is_dir():
        return Path(name)
    return past_runs.meant(*project_runs(), name)


@click.group("runs", invoke_without_command=True)
@click.option("--recipe", metavar="NAME", help="Only the runs of this recipe.")
@click.option("--all", "every", is_flag=True, help=f"All of them, not the last {_SHOWN} only.")
@click.option("--json", "as_json", is_flag=True, help="All of them as JSON.")
@click.pass_context
def command(ctx: click.Context, recipe: str | None, every: bool, as_json: bool) -> int:
    """List the runs of this project, the last one last; `rm` and `keep` say which may go."""
    if ctx.invoked_subcommand is not None:
        return outcome.DONE
    from lorakit.plan import numbers
    from lorakit.ui.runs_view import list_of, run_json

    home, runs = project_runs()
    if recipe is not None:
        known = sorted({run.path.parent.name for run in runs})
        runs = [run for run in runs if run.path.parent.name == recipe]
        if not runs:
            there = f"; there are runs of {', '.join(known)}" if known else ""
            raise click.UsageError(f"--recipe {recipe}: it has no runs{there}")
    if as_json:
        click.echo(json.dumps([run_json(run) for run in runs], indent=1, ensure_ascii=False))
        return outcome.DONE
    if not runs:
        click.echo(f"no runs in {terminal.quoted(str(home))}; `lorakit run` makes one")
        return outcome.DONE
    shown = runs if every else runs[-_SHOWN:]
    if len(shown) < len(runs):
        click.echo(f"{numbers.count(len(runs) - len(shown), 'earlier run')}; --all lists all")
    for line in list_of(shown):
        click.echo(line)
    return outcome.DONE


@command.command("rm", short_help="Remove run folders.")
@click.argument("names", nargs=-1, required=True, metavar="RUN...")
@click.option("--yes", is_flag=True, help="Remove them; without it nothing is removed.")
@click.option("--json", "as_json", is_flag=True, help="What is removed, as JSON.")
def remove(names: tuple[str, ...], yes: bool, as_json: bool) -> int:
    """Remove run folders such as quickstart/003. What was made stays in the store until `lorakit gc`."""
    from lorakit.diagnostics import LorakitError
    from lorakit.execute import past_runs
    from lorakit.plan import numbers
    from lorakit.ui.runs_view import list_of, run_json

    _, runs = project_runs()
    chosen = list({run.path: run for run in (past_runs.find(runs, n) for n in names)}.values())
    refused = [why for run in chosen if (why := past_runs.why_not_removed(run))]
    if refused:
        raise LorakitError("\n".join(refused))
    # what is said of them is found out before they go
    if as_json:
        told = {"removed": yes, "runs": [run_json(run) for run in chosen]}
        lines = [json.dumps(told, indent=1, ensure_ascii=False)]
    else:
        size = numbers.size(sum(run.size() for run in chosen))
        what = f"{numbers.count(len(chosen), 'run')}, {size}"
        end = f"removed {what}" if yes else f"nothing was removed; --yes removes {what}"
        lines = [*list_of(chosen), end]
    if yes:
        for run in chosen:
            past_runs.remove(run)
    for line in lines:
        click.echo(line)
    return outcome.DONE


@command.command("keep", short_help="Mark runs that nothing may take.")
@click.argument("names", nargs=-1, required=True, metavar="RUN...")
@click.option("--no-keep", is_flag=True, help="Take the mark off.")
@click.option("--json", "as_json", is_flag=True, help="The runs as JSON.")
def keep(names: tuple[str, ...], no_keep: bool, as_json: bool) -> int:
    """Mark runs: neither `runs rm` nor `lorakit gc` touches them and what they were made from."""
    from lorakit.execute import past_runs
    from lorakit.ui.runs_view import run_json

    _, runs = project_runs()
    chosen = [past_runs.find(runs, name) for name in names]
    for run in chosen:
        past_runs.mark(run, kept=not no_keep)
    if as_json:
        told = [{**run_json(run), "kept": not no_keep} for run in chosen]
        click.echo(json.dumps(told, indent=1, ensure_ascii=False))
        return outcome.DONE
    for run in chosen:
        click.echo(f"{'not kept' if no_keep else 'kept'}  {terminal.quoted(run.name)}")
    return outcome.DONE
