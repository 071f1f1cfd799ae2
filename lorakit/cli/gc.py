"""`lorakit gc`: clear the store."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import click

from lorakit import terminal
from lorakit.cli import outcome
from lorakit.cli.progress_line import tell

if TYPE_CHECKING:
    from lorakit.upkeep.garbage import Garbage

_UNITS = {"h": 3600, "d": 86_400, "w": 7 * 86_400}
_NAMED = 5  # runs that are named


class Age(click.ParamType[float]):
    """A length of time in seconds: 30d, 12h, 2w."""

    name = "age"

    def convert(
        self, value: str | float, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Read it. Raises click.BadParameter."""
        if isinstance(value, float):
            return value
        found = re.fullmatch(r"(\d{1,6})([hdw])", value.strip().lower())
        if found is None:
            self.fail(f"{value} is no age: write 30d, 12h or 2w", param, ctx)
        return float(int(found[1]) * _UNITS[found[2]])


@click.command("gc")
@click.option("--yes", is_flag=True, help="Remove it; without it nothing is removed.")
@click.option(
    "--runs-older",
    "older",
    type=Age(),
    metavar="AGE",
    help="Old run folders too: 30d, 12h, 2w. Never those that are kept, nor the latest of a recipe.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="What may go, and what keeps the rest, as JSON."
)
def command(yes: bool, older: float | None, as_json: bool) -> int:
    """Clear the store of what no kept run, no latest run and no document leads to any more.

    Whatever goes can be made again.
    """
    from lorakit.language import FolderReader
    from lorakit.language.projects import home_of_folder
    from lorakit.store.store import FOLDER
    from lorakit.upkeep import garbage

    home = home_of_folder(FolderReader())
    if not (home / FOLDER).is_dir():
        if as_json:
            click.echo(json.dumps(_as_json(garbage.Garbage(), removed=False), indent=1))
        else:
            click.echo(f"no store in {terminal.quoted(str(home))}: nothing to clear")
        return outcome.DONE
    work = garbage.remove if yes else garbage.find
    found = work(home, older=older, tell=tell)
    tell("")
    if as_json:
        click.echo(json.dumps(_as_json(found, removed=yes), indent=1, ensure_ascii=False))
    else:
        _show(found, removed=yes)
    return outcome.DONE


def _show(found: Garbage, *, removed: bool) -> None:
    from lorakit.language import FolderReader
    from lorakit.plan import numbers
    from lorakit.ui.columns import columns
    from lorakit.upkeep.garbage import CHECKPOINT_DAYS

    reader = FolderReader()
    for path, trouble in found.troubles.items():
        name = terminal.quoted(reader.display(path))
        click.echo(f"{name} cannot be planned, so all that was last made stays")
        click.echo(f"  {terminal.line(trouble)}")
    names = [f"{run.name}{' (kept)' if run.kept else ''}" for run in found.kept_runs]
    more = f", and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    roots = [f"{', '.join(names[-_NAMED:])}{more}"] if names else []
    if found.documents:
        roots.append(f"the plans of {numbers.count(len(found.documents), 'document')}")
    click.echo(f"stays: what is needed by {terminal.line(' and '.join(roots) or 'nothing')}")
    if found.young_checkpoints:
        size = numbers.size(sum(found.young_checkpoints.values()))
        what = numbers.count(len(found.young_checkpoints), "unfinished training")
        click.echo(f"stays: {what} of the last {CHECKPOINT_DAYS} days, {size}")
    rows = [
        (f"  {what}", f"{len(files):,}", numbers.size(sum(files.values())))
        for what, files in found.parts.items()
        if files
    ]
    for line in columns(rows):
        click.echo(line)
    for run in found.runs[:_NAMED]:
        click.echo(f"    {terminal.quoted(run.name)}")
    size = numbers.size(found.size)
    if not rows:
        click.echo("nothing to clear")
    else:
        click.echo(f"removed {size}" if removed else f"nothing was removed; --yes frees {size}")


def _as_json(found: Garbage, *, removed: bool) -> dict[str, object]:
    return {
        "removed": removed,
        "bytes": found.size,
        **{
            name: {"count": len(files), "bytes": sum(files.values())}
            for name, files in found.parts.items()
        },
        "old_runs": [run.name for run in found.runs],
        "roots": {
            "runs": [run.name for run in found.kept_runs],
            "documents": [str(path) for path in found.documents],
        },
        "troubles": {str(path): text for path, text in found.troubles.items()},
    }
