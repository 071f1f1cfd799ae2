"""`lorakit cache`: the cache that a team shares."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lorakit import terminal
from lorakit.cli import outcome
from lorakit.cli.gc import Age
from lorakit.cli.interrupt import Interrupt
from lorakit.cli.progress_line import counting, fetching

if TYPE_CHECKING:
    from lorakit.upkeep.shared_cache import CacheGarbage, CacheState, Moved

json_option = click.option("--json", "as_json", is_flag=True, help="The same as JSON.")


@click.group("cache")
def command() -> None:
    """Send results to the cache that a team shares, fetch them, look at it, clear it.

    Runs do so by themselves: they fetch what others have made and send what they make. A cache is named as
    cache: s3://bucket/lorakit (or a folder, gs://, az://, sftp://, https://) in lorakit.yaml beside your
    recipes, in your config, or in LORAKIT_CACHE.
    """


@command.command("status")
@json_option
def status(as_json: bool) -> int:
    """Say where the cache is, what it offers, and what of this project's store it lacks."""
    from lorakit.upkeep import shared_cache

    found = shared_cache.state(_home())
    if as_json:
        return _print(shared_cache.as_json(found), failed=not found.reached)
    _show_state(found)
    return outcome.DONE if found.reached else outcome.FAILED


@command.command("push")
@json_option
def push(as_json: bool) -> int:
    """Send all results of this project's store that the cache lacks."""
    from lorakit.upkeep import shared_cache

    interrupt = Interrupt()
    moved = shared_cache.push(_home(), counting("result"), lambda: interrupt.asked)
    if as_json:
        return _print(shared_cache.as_json(moved), failed=bool(moved.left))
    _show_moved(moved, "sent", "to")
    return outcome.FAILED if moved.left else outcome.DONE


@command.command("pull")
@click.argument(
    "documents",
    nargs=-1,
    type=click.Path(path_type=Path),
    metavar="[RECIPE|STORYBOARD]...",
)
@json_option
def pull(documents: tuple[Path, ...], as_json: bool) -> int:
    """Fetch what runs of these documents would take from the cache, or of all documents below."""
    from lorakit.upkeep import shared_cache

    interrupt = Interrupt()
    moved = shared_cache.pull(_home(), documents, fetching(), lambda: interrupt.asked)
    if as_json:
        return _print(shared_cache.as_json(moved), failed=bool(moved.troubles))
    _show_moved(moved, "fetched", "from")
    return outcome.FAILED if moved.troubles else outcome.DONE


@command.command("gc")
@click.option("--yes", is_flag=True, help="Remove it; without it nothing is removed.")
@click.option(
    "--older",
    type=Age(),
    default="90d",
    show_default=True,
    metavar="AGE",
    help="Results that were put there longer ago: 30d, 12h, 2w.",
)
@json_option
def gc(yes: bool, older: float, as_json: bool) -> int:
    """Clear the cache of old results, and of objects that no result names.

    Whatever goes can be made again; who needs it meanwhile makes it himself.
    """
    from lorakit.upkeep import shared_cache

    found = shared_cache.clear(_home(), older, remove=yes, progress=counting("object"))
    if as_json:
        return _print(shared_cache.as_json(found))
    _show_garbage(found)
    return outcome.DONE


def _home() -> Path:
    from lorakit.language import FolderReader
    from lorakit.language.projects import home_of_folder

    return home_of_folder(FolderReader())


def _print(data: dict[str, object], *, failed: bool = False) -> int:
    click.echo(json.dumps(data, indent=1, ensure_ascii=False))
    return outcome.FAILED if failed else outcome.DONE


def _show_state(found: CacheState) -> None:
    from lorakit.plan import numbers

    named = terminal.quoted(found.source)
    click.echo(f"cache   {terminal.quoted(found.url)}, named in {named}")
    click.echo(f"        {found.why or 'read and written'}; {found.policy}")
    if found.reached:
        packs = numbers.count(found.packs, "pack")
        click.echo(f"offers  {numbers.count(found.results, 'result')} in {packs} of manifests")
        if found.unsent:
            size = numbers.size(found.unsent_bytes)
            what = numbers.count(found.unsent, "result")
            click.echo(f"lacks   {what} of this store, up to {size}: lorakit cache push")
        else:
            click.echo("lacks   nothing that this store has")
        if found.torn:
            what = numbers.count(found.torn, "result")
            click.echo(f"        {what} of this store are not sent: their files are not all here")
    _show_troubles(found.troubles)


def _show_moved(moved: Moved, done: str, way: str) -> None:
    from lorakit.plan import numbers

    what = f"{numbers.count(moved.results, 'result')}, {numbers.size(moved.bytes)}"
    took = numbers.duration(moved.seconds)
    click.echo(f"{done} {what}, {way} {terminal.quoted(moved.url)} in {took}")
    if moved.torn:
        count = numbers.count(moved.torn, "result")
        click.echo(f"{count} of this store were not sent: their files are not all here")
    if moved.left:
        click.echo(f"{numbers.count(moved.left, 'result')} could not be sent", err=True)
    _show_troubles(moved.troubles)


def _show_garbage(found: CacheGarbage) -> None:
    from lorakit.plan import numbers

    what = f"{numbers.count(found.results, 'result')} and {numbers.count(len(found.objects), 'object')}"
    size = numbers.size(found.bytes)
    url = terminal.quoted(found.url)
    if found.removed:
        click.echo(f"removed {what}, {size}, from {url}")
    else:
        click.echo(f"{what}, {size}, may go from {url}")
    click.echo(f"{numbers.count(found.kept, 'result')} stay")
    if not found.removed and (found.results or found.objects):
        click.echo("nothing was removed: lorakit cache gc --yes does")
    _show_troubles(found.troubles)


def _show_troubles(troubles: tuple[str, ...]) -> None:
    for words in troubles:
        click.echo(f"warning: {terminal.line(words)}", err=True)
