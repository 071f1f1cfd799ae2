"""`lorakit validate`: check documents, all errors at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lorakit.cli import outcome
from lorakit.diagnostics import InvalidDocument, count_line, in_order, render

if TYPE_CHECKING:
    from lorakit.diagnostics import Diagnostic, Format


NOTHING_HERE = "no recipe or storyboard here; `lorakit init` makes one"


def documents(paths: tuple[Path, ...]) -> Iterator[Path]:
    """The files named, and in folders every recipe and storyboard, and picks whose board is not there."""
    from lorakit.language.found import documents_below, lone_picks
    from lorakit.language.story.decisions import board_of

    for path in paths:
        if path.is_dir():
            yield from documents_below(path)
            yield from lone_picks(path)
        else:
            board = board_of(path)  # its decisions are looked at with it
            yield board if board is not None and board.is_file() else path


def checked(files: Iterable[Path]) -> tuple[Diagnostic, ...]:
    """Everything that is to be said of some documents, in order."""
    from lorakit.session import load

    found: list[Diagnostic] = []
    for file in files:
        try:
            found += load(file).check()
        except InvalidDocument as error:
            found += error.diagnostics
    return in_order(found)


@click.command("validate")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[FILE|FOLDER]...")
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    help="For people, scripts, or GitHub's annotations.",
)
@click.option("--json", "as_json", is_flag=True, help="Short for --format json.")
def command(paths: tuple[Path, ...], style: Format, as_json: bool) -> int:
    """Check recipes and storyboards (all below this folder by default), all errors at once."""
    style = "json" if as_json else style
    files = list(dict.fromkeys(documents(paths or (Path(),))))
    shown = checked(files)
    errors = any(d.severity == "error" for d in shown)
    if style == "text":
        if shown:
            click.echo(render(shown), err=errors)
            click.echo(err=errors)
        if not files:
            click.echo(NOTHING_HERE)
        click.echo(count_line(shown, len(files)))
    elif shown or style == "json":
        click.echo(render(shown, style))
    return outcome.INVALID if errors else outcome.DONE
