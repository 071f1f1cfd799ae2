"""What the exports of documents have in common: which document and step, and where it is written."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from lorakit import terminal
from lorakit.cli import options
from lorakit.diagnostics import Diagnostic, LorakitError, as_json, render_text

R = TypeVar("R")


def document_options(function: Callable[..., R]) -> Callable[..., R]:
    """Give a command the document, and hand it over as `session` with the `step` that was named."""

    @click.argument("document", metavar="RECIPE[:STEP]|STORYBOARD")
    @options.set_option
    @options.profile_option
    @click.option(
        "--out",
        "-o",
        type=click.Path(path_type=Path, allow_dash=True),
        help="The file to write, or the folder; - prints it.",
    )
    @click.option("--force", is_flag=True, help="Overwrite a file that is there.")
    @click.option("--json", "as_json", is_flag=True, help="Say in JSON what was written.")
    @functools.wraps(function)
    def wrapped(document: str, settings: tuple[str, ...], profile: str | None, **rest: Any) -> R:
        from lorakit.session import load

        path, step = _parts(document)
        return function(session=load(path, settings=settings, profile=profile), step=step, **rest)

    return wrapped


def _parts(document: str) -> tuple[Path, str | None]:
    """A path and the step after its last colon; a file whose name has a colon is that file."""
    path, colon, step = document.rpartition(":")
    if not colon or Path(document).exists() or not path or "/" in step or "\\" in step:
        return Path(document), None
    return Path(path), step


def target_of(out: Path | None, name: str, ending: str, *, force: bool) -> Path | None:
    """The file to write; None for standard output. Raises click.UsageError where one is there."""
    if out == Path("-"):
        return None
    path = Path(f"{name}.{ending}") if out is None else out
    if path.is_dir():
        path /= f"{name}.{ending}"
    if path.exists() and not force:
        raise click.UsageError(f"{path} is there already; --force overwrites it")
    return path


def write(target: Path | None, data: bytes) -> None:
    """Write a file at once, or print it. Raises LorakitError."""
    from lorakit.store import atomic
    from lorakit.store.errors import why

    if target is None and sys.stdout.isatty():
        click.echo(data.decode(errors="replace"), nl=False)  # shown, not obeyed
    elif target is None:
        terminal.print_bytes(data)
    if target is None:
        return
    try:
        atomic.write_bytes(target, data, durable=False)
    except OSError as error:
        raise LorakitError(f"{target} cannot be written: {why(error)}") from error


def tell(
    target: Path | None,
    facts: Mapping[str, object],
    said: Iterable[Diagnostic],
    *,
    as_json_: bool,
) -> None:
    """Say what was written, on the output, and what there is to know of it, on the error stream."""
    found = list(said)
    if as_json_ and target is not None:
        told = {"written": str(target), **facts, "warnings": [as_json(one) for one in found]}
        click.echo(json.dumps(told, indent=1, ensure_ascii=False))
        return
    if found:
        click.echo(render_text(found) + "\n", err=True)
    if target is not None:
        more = ", ".join(f"{value} {name}" for name, value in facts.items() if name != "format")
        click.echo(f"written: {target}" + (f" ({more})" if more else ""))
