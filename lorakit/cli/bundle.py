"""`lorakit bundle`: a run in one archive."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command("bundle")
@click.argument("run")
@click.option(
    "--out", type=click.Path(path_type=Path), help="The archive; RECIPE-NUMBER.zip by default."
)
@click.option("--pictures", is_flag=True, help="Frames and films as well, to measure what differs.")
@click.option("--json", "as_json", is_flag=True, help="Say in JSON what was packed.")
def command(run: str, out: Path | None, pictures: bool, as_json: bool) -> None:
    """Put RUN's documents, lock, environment and adapters into one archive, for `lorakit verify` elsewhere.

    RUN is a run folder, or its name: quickstart/003. Pictures of your own that boards name are in it as well.
    Models and data sets are named in the lock, not packed.
    """
    from lorakit.cli.runs import run_meant
    from lorakit.doors.bundle import pack
    from lorakit.execute import past_run

    then = past_run.read(run_meant(run))
    folder = then.folder.resolve()
    target = out or Path(f"{folder.parent.name}-{folder.name}.zip")
    names = pack(then, target, pictures=pictures)
    size = target.stat().st_size
    if as_json:
        click.echo(json.dumps({"bundle": str(target), "bytes": size, "files": sorted(names)}))
        return
    click.echo(f"{target}: {len(names)} files, {size / 1e6:.1f} MB")
    click.echo(f"elsewhere: lorakit verify {target.name}")
