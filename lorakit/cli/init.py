"""`lorakit init`: a first recipe and storyboard."""

from __future__ import annotations

from pathlib import Path

import click

from lorakit import resources
from lorakit.diagnostics import LorakitError

_STARTER = "quickstart.yaml"


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path), default=Path(), metavar="[FOLDER]")
def command(folder: Path) -> None:
    """Put a first recipe, its storyboards and their schemas into FOLDER; never overwrites a file."""
    wanted = {
        Path("recipes") / _STARTER: resources.path("recipes") / _STARTER,
        **{
            Path("storyboards") / p.name: p
            for p in sorted(resources.path("storyboards").glob("*.yaml"))
        },
        **{Path("schemas") / p.name: p for p in sorted(resources.path("schemas").glob("*.json"))},
    }
    try:
        for name, source in wanted.items():
            target = folder / name
            if target.exists():
                click.echo(f"kept     {target}")
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
            click.echo(f"written  {target}")
        # marks the folder as a project's root, which paths may not leave
        (folder / ".lorakit").mkdir(exist_ok=True)
    except OSError as error:
        raise LorakitError(f"{folder} cannot be written: {error.strerror}") from error
    where = "" if folder == Path() else f"cd {folder} && "
    click.echo(f"\nnext: {where}lorakit run recipes/{_STARTER}")
