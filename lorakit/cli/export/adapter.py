"""`lorakit export adapter`: an adapter in another tool's format."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from lorakit.cli import outcome

_SUFFIX = ".safetensors"


@click.command("adapter", short_help="An adapter in kohya's, diffusers' or PEFT's format.")
@click.argument("source", type=click.Path(exists=True, path_type=Path), metavar="FILE|FOLDER")
@click.option(
    "--format",
    "style",
    type=click.Choice(["kohya", "diffusers", "peft"]),
    default="kohya",
    show_default=True,
    help="kohya is for A1111, ComfyUI and sd-scripts.",
)
@click.option(
    "--out",
    "-o",
    type=click.Path(path_type=Path),
    help="The folder to write to, or the file, which ends in .safetensors.",
)
@click.option("--force", is_flag=True, help="Overwrite a file that is there.")
def command(source: Path, style: str, out: Path | None, *, force: bool) -> int:
    """Write an adapter for pictures (in any of the formats) in one of them."""
    from lorakit.diagnostics import LorakitError
    from lorakit.facts.adapters import PEFT_SETTINGS, existing_file
    from lorakit.facts.adapters.layout import read_layout
    from lorakit.facts.adapters.values import not_finite
    from lorakit.models import adapter_formats
    from lorakit.store.errors import why
    from lorakit.training import adapter_files

    file = existing_file(source)
    target = _target(file, style, out, adapter_files.NAMES)
    written = [target, *([target.with_name(PEFT_SETTINGS)] if style == "peft" else [])]
    if target.exists() and target.samefile(file):
        raise click.UsageError(f"{target} is the adapter itself; --out says where else to write")
    for path in written:
        if path.exists() and not force:
            raise click.UsageError(f"{path} is there already; --force overwrites it")
    layout = read_layout(file)
    if strange := not_finite(file, layout.header):
        raise LorakitError(f"{file} has values that are not finite: {', '.join(strange[:3])}")
    metadata = layout.header.metadata
    base = metadata.get(adapter_formats.BASE, "")
    try:
        with _claimed(target, force=force):
            adapter_files.write(adapter_formats.weights_of(layout), target, style, base, metadata)
    except OSError as error:
        raise LorakitError(f"{target} cannot be written: {why(error)}") from error
    click.echo(f"written: {target.parent if style == 'peft' else target}")
    return outcome.DONE


@contextlib.contextmanager
def _claimed(target: Path, *, force: bool) -> Iterator[None]:
    """The file's name taken before it is written: of two exports at once one is refused.

    Raises click.UsageError, OSError.
    """
    if force:
        yield
        return
    made = [folder for folder in target.parents if not folder.exists()]
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        target.open("xb").close()
    except FileExistsError as error:
        raise click.UsageError(f"{target} is there already; --force overwrites it") from error
    try:
        yield
    except BaseException:
        if target.stat().st_size == 0:
            target.unlink()
        with contextlib.suppress(OSError):
            for folder in made:
                folder.rmdir()
        raise


def _target(file: Path, style: str, out: Path | None, names: Mapping[str, str]) -> Path:
    """The weights file to write: in a folder of its own where the format says what it is called."""
    from lorakit.facts.adapters.pieces import whole_name

    # what a folder's file is called says nothing of it; the folder's own name does
    name = whole_name(file)
    title = file.resolve().parent.name if name in names.values() else Path(name).stem
    if file.is_dir():
        title = file.resolve().name
    name = names.get(style, f"{title}{_SUFFIX}")
    if out is None:
        return Path(style) / title / name if style in names else Path(style) / name
    if out.suffix != _SUFFIX or out.is_dir():
        return out / name
    if style == "peft" and out.name != name:
        raise click.UsageError(
            f"PEFT's format is a folder with {name} in it: --out {out.with_suffix('')}"
        )
    return out
