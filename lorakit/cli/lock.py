"""`lorakit lock`: pin what recipes stand on."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lorakit.cli import outcome
from lorakit.cli.validate import documents
from lorakit.diagnostics import render

if TYPE_CHECKING:
    from lorakit.diagnostics import Diagnostic
    from lorakit.language.locks import Lock
    from lorakit.session import Session


@click.command("lock")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[RECIPE|FOLDER]...")
@click.option(
    "--update", is_flag=True, help="Move pins to what the hub has now; else none is moved."
)
@click.option(
    "--check", is_flag=True, help="Write nothing; exit code 3 where something is not as locked."
)
@click.option("--json", "as_json", is_flag=True, help="The lock as JSON.")
def command(paths: tuple[Path, ...], update: bool, check: bool, as_json: bool) -> int:
    """Write lorakit.lock: commit, licence and digests of every model and data set that recipes name.

    All recipes below this folder by default. Keep the file in git: `run` takes the commits that it names, and
    `run --locked` refuses anything else.
    """
    from lorakit.diagnostics import InvalidDocument
    from lorakit.language.locks import FILE

    files = list(dict.fromkeys(documents(paths or (Path(),))))
    found: list[Diagnostic] = []
    locks: dict[Path, tuple[Lock, Lock]] = {}
    for session in _of_their_own(files):
        root = session.project.root
        before = locks[root][0] if root in locks else session.lock
        if check:
            try:
                session.check_lock()
            except InvalidDocument as error:
                found += error.diagnostics
            locks[root] = before, session.lock
        else:
            locks[root] = before, session.lock_sources(move=update)
    if found:
        click.echo(render(found, "json" if as_json else "text"), err=not as_json)
        return outcome.INVALID
    if as_json:
        shown = {str(root / FILE): dataclasses.asdict(lock) for root, (_, lock) in locks.items()}
        click.echo(json.dumps(shown, ensure_ascii=False, indent=1))
        return outcome.DONE
    if not files:
        click.echo("no recipe or storyboard here; `lorakit init` makes one")
    for root, (before, lock) in locks.items():
        _tell(root / FILE, before, lock, check=check)
    return outcome.DONE


def _of_their_own(files: list[Path]) -> list[Session]:
    """The documents, but for storyboards that a recipe among them draws with models of its own."""
    from lorakit.session import load

    sessions = {file.resolve(): load(file) for file in files}
    drawn = {
        path for own, session in sessions.items() for path in session.project.files if path != own
    }
    return [session for own, session in sessions.items() if own not in drawn]


def _tell(file: Path, before: Lock, lock: Lock, *, check: bool) -> None:
    old = {**before.models, **before.datasets}
    for name, pin in sorted({**lock.models, **lock.datasets}.items()):
        state = "kept" if old.get(name) == pin else "moved" if name in old else "added"
        at = pin.revision[:12] or f"lorakit {pin.version}"
        click.echo(f"{state:<6} {name}  {at}  {pin.license}  {len(pin.files)} files")
    if not lock.models and not lock.datasets:
        click.echo("nothing to lock: your own files are in git")
    elif not check:
        click.echo(f"{'unchanged' if before == lock else 'written'} {file}")
