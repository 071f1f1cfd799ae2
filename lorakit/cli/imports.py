"""`lorakit import`: what another tool drew, or a benchmark asks for, as a recipe."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lorakit.cli import outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lorakit.diagnostics import Diagnostic
    from lorakit.doors.as_recipe import Written
    from lorakit.doors.generations import Generation

_MOST_PICTURE = 256 << 20  # bytes

_out = click.option(
    "--out",
    "-o",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="The folder to write to; this one by default.",
)
_force = click.option("--force", is_flag=True, help="Overwrite files that are there.")


@click.group("import")
def command() -> None:
    """Write what another tool drew, or a benchmark's stories, as a recipe.

    \b
    lorakit import comfyui ComfyUI_00001_.png    a picture, or a workflow.json
    lorakit import vistory data/dataset/ViStory  ViStoryBench's stories, or one of them
    """  # noqa: D301 - click's mark of lines that stay as they are


@command.command("comfyui", short_help="A recipe from a picture of ComfyUI or A1111.")
@click.argument("source", type=click.Path(path_type=Path), metavar="PICTURE|JSON|TEXT")
@_out
@click.option("--name", help="What the recipe is called; as the file by default.")
@_force
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


@command.command("vistory", short_help="Boards from ViStoryBench's stories.")
@click.argument("source", type=click.Path(path_type=Path), metavar="DATASET|STORY")
@click.option(
    "--language",
    type=click.Choice(["en", "ch"]),
    default="en",
    show_default=True,
    help="Which of a story's two languages.",
)
@_out
@click.option("--name", default="vistory", show_default=True, help="What the recipe is called.")
@_force
@click.option("--json", "as_json_", is_flag=True, help="Say in JSON what was written.")
def vistory(source: Path, language: str, out: Path, name: str, force: bool, as_json_: bool) -> int:
    """Write stories of ViStoryBench as boards, with a recipe that draws them.

    The source is the data set's folder (ViStory), a story's (ViStory/01), or its story.json. Pictures of
    characters are copied beside the boards, as their references. What is wrong is told with its line; what
    the benchmark's loader passes over is passed over, and said.
    """
    from lorakit.diagnostics import InvalidDocument, as_json, render_text
    from lorakit.doors import vistory_board, vistory_story
    from lorakit.doors.bench_story import BenchStory
    from lorakit.session import load

    stories: list[BenchStory] = []
    wrong: list[Diagnostic] = []
    for folder in vistory_story.folders(source):
        try:
            stories.append(vistory_story.read(folder, language))
        except InvalidDocument as error:
            wrong += error.diagnostics
    if wrong:
        raise InvalidDocument(wrong)
    stem = _name(name)
    texts = vistory_board.documents(stories, stem)
    files = {**_encoded(texts), **vistory_board.pictures(stories, stem)}
    _write(files, out, force=force)
    recipe = out / f"{stem}.yaml"
    load(recipe).check()
    warnings = [one for story in stories for one in story.warnings]
    if as_json_:
        told = {
            "written": [str(out / file) for file in files],
            "stories": len(stories),
            "shots": sum(len(story.shots) for story in stories),
            "warnings": [as_json(one) for one in warnings],
        }
        click.echo(json.dumps(told, indent=1, ensure_ascii=False))
        return outcome.DONE
    if warnings:
        click.echo(render_text(warnings) + "\n", err=True)
    shots = sum(len(story.shots) for story in stories)
    boards = (
        f"1 board in {out / stem}"
        if len(stories) == 1
        else f"{len(stories)} boards in {out / stem}"
    )
    click.echo(f"written: {recipe}, {boards} ({shots} shots)")
    click.echo(f"next: lorakit plan {recipe}")
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
    _write(_encoded(made.files), out, force=force)
    try:
        load(out / f"{name}.yaml").check()
    except InvalidDocument:
        if not made.adapters:
            raise
        made = written(drawn, name, source, out, adapters=False)
        _write(_encoded(made.files), out, force=True)
        load(out / f"{name}.yaml").check()
    return made


def _encoded(texts: Mapping[str, str]) -> dict[str, bytes | Path]:
    return {file: text.encode() for file, text in texts.items()}


def _write(files: dict[str, bytes | Path], out: Path, *, force: bool) -> None:
    """Write files below a folder, or copy them there. Raises UsageError, LorakitError."""
    from lorakit.diagnostics import LorakitError
    from lorakit.store import atomic
    from lorakit.store.errors import why

    for file in files:
        if (out / file).exists() and not force:
            raise click.UsageError(
                f"{out / file} is there already; --force overwrites it, --name gives another name"
            )
    for file, content in files.items():
        data = content if isinstance(content, bytes) else _copied(content)
        try:
            atomic.write_bytes(out / file, data, durable=False)
        except OSError as error:
            raise LorakitError(f"{out} cannot be written: {why(error)}") from error


def _copied(picture: Path) -> bytes:
    from lorakit.diagnostics import LorakitError
    from lorakit.files import read_regular
    from lorakit.store.errors import why

    try:
        return read_regular(picture, _MOST_PICTURE)
    except OSError as error:
        raise LorakitError(f"{picture} cannot be read: {why(error)}") from error
