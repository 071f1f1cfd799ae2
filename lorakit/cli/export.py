"""`lorakit export`: what was made, in another tool's format."""

from __future__ import annotations

from pathlib import Path

import click

from lorakit.cli import outcome


@click.group("export")
def command() -> None:
    """Write what was made in another tool's format."""


@command.command("adapter")
@click.argument("source", type=click.Path(exists=True, path_type=Path), metavar="FILE|FOLDER")
@click.option(
    "--format",
    "style",
    type=click.Choice(["kohya", "diffusers", "peft"]),
    default="kohya",
    show_default=True,
    help="kohya is for A1111, ComfyUI and sd-scripts.",
)
@click.option("--out", "-o", type=click.Path(path_type=Path), help="The file to write.")
@click.option("--force", is_flag=True, help="Overwrite a file that is there.")
def adapter(source: Path, style: str, out: Path | None, *, force: bool) -> int:
    """Write an adapter for pictures (in any of the formats) in one of them."""
    from lorakit.facts.adapters import DIFFUSERS_FILE, PEFT_FILE, existing_file
    from lorakit.models import adapter_formats
    from lorakit.training import adapter_files

    file = existing_file(source)
    names = {"diffusers": DIFFUSERS_FILE, "peft": PEFT_FILE}
    target = out or Path(style) / names.get(style, f"{file.stem}.safetensors")
    if target.exists() and not force:
        raise click.UsageError(f"{target} is there already; --force overwrites it")
    base = adapter_formats.header_of(file).get(adapter_formats.BASE, "")
    adapter_files.write(adapter_formats.read(file), target, style, base)
    click.echo(f"written: {target}")
    return outcome.DONE
