"""`lorakit doctor`: what is amiss, each with its way out."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict

import click

from lorakit import terminal
from lorakit.cli import outcome
from lorakit.cli.progress_line import tell


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="The findings as JSON.")
def command(as_json: bool) -> int:
    """Look at Python, torch and the hardware, clusters, disk, store, cache, fonts, ffmpeg, git and editors.

    Exit code 1 where something stops lorakit from working; warnings do not.
    """
    from lorakit.language import FolderReader
    from lorakit.language.projects import home_of_folder
    from lorakit.plan import numbers
    from lorakit.upkeep.checkup import examine

    found = []
    for one in examine(home_of_folder(FolderReader()), tell):
        found.append(one)
        if not as_json:
            tell("")
            click.echo(f"{one.level:8} {one.area:10} {terminal.line(one.message)}")
            for way in one.ways:
                click.echo(f"{'':19} = {terminal.line(way)}")
    tell("")
    levels = Counter(one.level for one in found)
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], indent=1, ensure_ascii=False))
    else:
        errors, warnings = levels["error"], levels["warning"]
        click.echo(f"{numbers.count(errors, 'error')}, {numbers.count(warnings, 'warning')}")
    return outcome.FAILED if levels["error"] else outcome.DONE
