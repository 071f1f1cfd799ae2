"""`lorakit import`: what another tool drew, as a recipe."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lorakit.cli import outcome

if TYPE_CHECKING:
    from lorakit.doors.as_recipe import Written
    from lorakit.doors.generations import Generation


@click.group("import")
def command() -> None:
    """Write what another tool drew as a recipe.

    \b
    lorakit import comfyui ComfyUI_00001_.png    a picture, or a workflow.json
    """  # noqa: D301 - click's mark of lines that stay as they are


@command.command("comfyui", short_help="A recipe from a picture of ComfyUI or A1111.")
@click.argument("source", type=click.Path(path_type=Path), metavar="PICTURE|JSON|TEXT")
@click.option(
    "--out",
    "-o",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="The folder to write to; this one by default.",
)
@click.option("--name", help="What the recipe is called; as the file by default.")
@click.option("--force", is_flag=True, help="Overwrite files that are there.")
@click.option("--json", "as_json", is_flag=True, help="Say in JSON what was written.")
def comfyui(source: Path, out: Path, name: str | None, force: bool, as_json: bool) -> int:
    """Write a recipe from what a picture of ComfyUI's or A1111's says of how it was drawn.

    A workflow in JSON does as well, in either of ComfyUI's forms. Checkpoints and LoRAs are looked for in
    the folder that is written to, and in models and loras below it. What cannot be carried stands in
    comments on top.
    """
    from lorakit.doors.embedded import read

    stem = _name(name or source.stem)
    drawn = read(source)
    written = _valid(drawn, stem, source.name, out, force=force)
    if as_json:
        told = {
            "written": [str(out / file) for file in written.files],
            "pictures": len(drawn),
            "not_carried": written.notes,
        }
        click.echo(json.dumps(told, indent=1, ensure_ascii=False))
        return outcome.DONE
    for file in written.files:
        click.echo(f"written: {out / file}")
    for note in written.notes:
        click.echo(f"not carried: {note}", err=True)
    click.echo(f"next: lorakit plan {out / next(iter(written.files))}")
    return outcome.DONE


def _name(stem: str) -> str:
    """A file's name that all systems take."""
    import re

    return re.sub(r'[\x00-\x1f<>:"/\\|?*]+', "-", stem).strip(" .-")[:100] or "imported"


def _valid(drawn: list[Generation], name: str, source: str, out: Path, *, force: bool) -> Written:
    """Write documents that hold, without adapters where those do not. Raises InvalidDocument, UsageError."""
    from lorakit.diagnostics import InvalidDocument
    from lorakit.doors.as_recipe import written
    from lorakit.session import load

    made = written(drawn, name, source, out)
    _write(made, out, force=force)
    try:
        load(out / f"{name}.yaml").check()
    except InvalidDocument:
        if not made.adapters:
            raise
        made = written(drawn, name, source, out, adapters=False)
        _write(made, out, force=True)
        load(out / f"{name}.yaml").check()
    return made


def _write(made: Written, out: Path, *, force: bool) -> None:
    from lorakit.diagnostics import LorakitError
    from lorakit.store import atomic
    from lorakit.store.errors import why

    for file in made.files:
        if (out / file).exists() and not force:
            raise click.UsageError(
                f"{out / file} is there already; --force overwrites it, --name gives another name"
            )
    try:
        for file, text in made.files.items():
            atomic.write_bytes(out / file, text.encode(), durable=False)
    except OSError as error:
        raise LorakitError(f"{out} cannot be written: {why(error)}") from error
