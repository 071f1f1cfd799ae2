"""`lorakit models`: what is there to draw and to read with."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from lorakit import terminal
from lorakit.cli import outcome
from lorakit.cli.progress_line import tell

if TYPE_CHECKING:
    from lorakit.upkeep.models_here import ModelHere


@click.group("models", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="All that is known of them, as JSON.")
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> int:
    """List the models that ship, were downloaded or trained here, or are named by this project's recipes."""
    if ctx.invoked_subcommand is not None:
        return outcome.DONE
    from lorakit.language import FolderReader
    from lorakit.language.projects import home_of_folder
    from lorakit.ui.columns import columns
    from lorakit.upkeep.models_here import ABSENT, models_here

    found = list(models_here(home_of_folder(FolderReader()), tell))
    tell("")
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], indent=1, ensure_ascii=False))
        return outcome.DONE
    for line in columns([_row(one) for one in found]):
        click.echo(line)
    absent = [one.name for one in found if not one.whole or one.where == ABSENT]
    fetched = [name.removeprefix("hub:") for name in absent if name.startswith("hub:")]
    if fetched:
        click.echo(f"`lorakit models pull {terminal.line(fetched[0])}` fetches one; so does a run")
    return outcome.DONE


def _row(one: ModelHere) -> tuple[str, ...]:
    from lorakit.plan import numbers
    from lorakit.upkeep.models_here import CACHED

    used = f"in {one.recipes[0]}" if one.recipes else ""
    more = f" and {len(one.recipes) - 1} more" if len(one.recipes) > 1 else ""
    return (
        one.name,
        one.where if one.whole else f"{one.where}, in part",
        numbers.size(one.size) if one.size else "",
        one.family,
        one.license or ("no licence told" if one.where == CACHED else ""),
        one.revision[:12],
        used + more,
    )


@command.command("pull", short_help="Fetch models from the hub.")
@click.argument("names", nargs=-1, required=True, metavar="REPOSITORY[@REVISION]...")
@click.option("--json", "as_json", is_flag=True, help="Where they are, as JSON.")
def pull(names: tuple[str, ...], as_json: bool) -> int:
    """Fetch models from the hub, such as CompVis/stable-diffusion-v1-4; what was cut off goes on."""
    from lorakit.diagnostics import LorakitError
    from lorakit.facts.hub.cards import CARD, license_of
    from lorakit.plan import numbers
    from lorakit.upkeep import model_pull
    from lorakit.upkeep.models_here import family_of, size_of

    wanted = []
    for name in names:
        try:
            wanted.append(model_pull.named(name))
        except ValueError:
            message = f"{name} is no name on the hub: write owner/name, or owner/name@revision"
            raise click.UsageError(message) from None
    told = []
    for repository, revision in wanted:
        if not as_json:
            click.echo(f"hub:{terminal.line(repository)}", err=True)
        try:
            folder = model_pull.pull(repository, revision)
        except LorakitError as error:
            raise LorakitError("; ".join((str(error), *getattr(error, "hints", ())))) from error
        size = size_of(folder)
        told.append(
            {
                "name": f"hub:{repository}",
                "revision": folder.name,
                "family": family_of(folder),
                "license": license_of(folder / CARD),
                "size": size,
                "path": str(folder),
            }
        )
        if not as_json:
            facts = [told[-1][key] for key in ("family", "license")]
            words = ", ".join(str(fact) for fact in (*facts, numbers.size(size)) if fact)
            click.echo(f"here  hub:{repository}@{folder.name[:12]}  {terminal.line(words)}")
    if as_json:
        click.echo(json.dumps(told, indent=1, ensure_ascii=False))
    return outcome.DONE
