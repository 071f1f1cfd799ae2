"""`lorakit verify`: make a run again, and say whether it comes out as it did."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lorakit import terminal
from lorakit.cli import outcome
from lorakit.diagnostics import LorakitError

if TYPE_CHECKING:
    from lorakit.execute.past_run import WholeRun
    from lorakit.remake import OutputComparison
    from lorakit.store.store import Store

_MOST_TOLD = 40  # lines on a terminal; --json has all


@click.command("verify")
@click.argument("run")
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0),
    default=40.0,
    show_default=True,
    metavar="DB",
    help="Pictures as near as this (PSNR) pass although their bytes differ.",
)
@click.option("--plain", is_flag=True, help="Lines instead of a live view.")
@click.option("--json", "as_json", is_flag=True, help="Every comparison as JSON.")
def command(run: str, tolerance: float, plain: bool, as_json: bool) -> int:
    """Make RUN again, a run folder (or its name) or what `lorakit bundle` made of one, and compare.

    The documents and the lock are taken as they were; nothing of the store is used, but for approved frames
    that were held, and nothing in the project is changed. Exit code 0 where all is identical or within the
    tolerance, 1 where something differs.
    """
    from lorakit.execute import past_run
    from lorakit.language.projects import FOLDER
    from lorakit.remake import as_it_was, compare
    from lorakit.store.lending import lend
    from lorakit.store.store import Store
    from lorakit.ui.live import view_for

    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lorakit-verify-")))
        then, root = _opened(run, scratch)
        home = scratch / "made"
        (home / FOLDER).mkdir(parents=True)
        lend(then.held, _lender(then, run, scratch), Store(home))
        session, selection = as_it_was(then, root, home)
        plan = session.plan(selection, download=True)
        if not as_json:
            _tell_of_other_versions(then)
            view = stack.enter_context(view_for(plan, terminal.console(), plain=plain))
            finished = session.run(selection, copy=True, listener=view.handle, plan=plan)
        else:
            finished = session.run(selection, copy=True, plan=plan)
        if finished.ending != "done":
            raise LorakitError(f"it could not be made again: the run ended as {finished.ending}")
        now = past_run.read(Path(finished.folder))
        found = list(compare(then, now, tolerance))
    return _tell(then, found, as_json=as_json)


def _opened(run: str, scratch: Path) -> tuple[WholeRun, Path]:
    """What a run folder or a bundle says of a run, and the root of its documents."""
    from lorakit.cli.runs import run_meant
    from lorakit.execute import past_run

    if Path(run).is_file():
        from lorakit.doors.bundle import opened

        return opened(Path(run), scratch / "bundle")
    then = past_run.read(run_meant(run))
    return then, then.root


def _lender(then: WholeRun, run: str, scratch: Path) -> Store:
    """The store that has what was held: the project's, or what a bundle brings."""
    from lorakit.doors.bundle import APPROVED
    from lorakit.store.store import Store

    return Store(scratch / "bundle" / APPROVED if Path(run).is_file() else then.home)


def _tell_of_other_versions(then: WholeRun) -> None:
    from lorakit.facts.machine.environment import environment

    now = environment()
    other = [
        f"{name} {version} then, {now.get(name, 'none')} now"
        for name, version in then.environment.items()
        if now.get(name) != version
    ]
    if other:
        click.echo(f"other versions: {'; '.join(other)}")


def _tell(then: WholeRun, found: list[OutputComparison], *, as_json: bool) -> int:
    counts = Counter(comparison.state for comparison in found)
    wrong = counts["different"] + counts["missing"]
    if as_json:
        told = {"run": str(then.folder), "counts": counts, "outputs": [asdict(c) for c in found]}
        click.echo(json.dumps(told, ensure_ascii=False, indent=1))
        return outcome.FAILED if wrong else outcome.DONE
    lines = [
        f"{c.state:<10} {c.action} {c.output}" + (f"  {c.psnr:.1f} dB" if c.psnr else "")
        for c in found
        if c.state != "identical"
    ]
    for line in lines[:_MOST_TOLD]:
        click.echo(line)
    if len(lines) > _MOST_TOLD:
        click.echo(f"… and {len(lines) - _MOST_TOLD} more: --json has all")
    if not found:
        click.echo("nothing to compare: the run made nothing")
    else:
        parts = [
            f"{counts[s]} {s}" for s in ("identical", "close", "different", "missing") if counts[s]
        ]
        click.echo(f"{len(found)} outputs: {', '.join(parts)}")
    return outcome.FAILED if wrong else outcome.DONE
