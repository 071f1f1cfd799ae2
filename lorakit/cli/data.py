"""`lorakit data`: a data set before a training, as the model will see it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lorakit.cli import options, outcome
from lorakit.cli.browser import show
from lorakit.cli.progress_line import counting
from lorakit.files import YAML_ENDINGS

if TYPE_CHECKING:
    from lorakit.preview.looks import Look
    from lorakit.preview.seen import Seen


@click.command("data")
@click.argument("place", default="recipe.yaml", metavar="[FOLDER|TABLE|RECIPE]")
@click.option(
    "--only", multiple=True, metavar="NAME", help="This data set or step of a recipe alone."
)
@click.option(
    "--size", type=int, metavar="N", help="Train at about N x N px; of texts, read N tokens."
)
@click.option(
    "--model",
    metavar="MODEL",
    help="Whose sizes and tokenizer count: lorakit:studio, hub:…, a path.",
)
@click.option("--caption", metavar="TEXT", help='What each is told, as in "{caption}, in ink".')
@click.option("--trigger-word", metavar="WORD", help="A word that stands first in each caption.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Change one value of a recipe; of a folder, any key of datasets or of a training.",
)
@options.profile_option
@click.option(
    "--as",
    "held",
    type=click.Choice(["images", "texts"]),
    help="What is in it, where that is unclear.",
)
@click.option(
    "--write-captions", is_flag=True, help="Write a text beside each picture that has none."
)
@click.option("--download", is_flag=True, help="Fetch what is on the hub and not here.")
@click.option("--open", "opens", is_flag=True, help="Show the page in the browser.")
@click.option("--json", "as_json", is_flag=True, help="All that is known of each, as JSON.")
def command(
    place: str,
    only: tuple[str, ...],
    size: int | None,
    model: str | None,
    caption: str | None,
    trigger_word: str | None,
    settings: tuple[str, ...],
    profile: str | None,
    held: str | None,
    write_captions: bool,
    download: bool,
    opens: bool,
    as_json: bool,
) -> int:
    """Show a data set before a training: pictures as they will be cut, captions, labels, what is left out.

    PLACE is a folder of pictures or texts, a table of texts, hub:owner/name, or a recipe, whose steps decide
    what is seen. A page with all of it is written below outputs/data. Nothing is trained. The exit code is 3
    where a training would not begin.
    """
    from lorakit.preview.folder import FolderOptions, look_at

    recipe = Path(place).suffix.lower() in YAML_ENDINGS
    if recipe and any(word is not None for word in (size, model, trigger_word, held)):
        raise click.UsageError(
            "--size, --model, --trigger-word and --as are for a folder: a recipe says them, or --set does"
        )
    if recipe and caption is not None and not write_captions:
        raise click.UsageError("--caption is for a folder: a recipe says it, or --set does")
    if not recipe and (only or profile):
        raise click.UsageError("--only and --profile are for a recipe")
    if recipe:
        looks = _of_recipe(Path(place), settings, profile, only)
    else:
        # words that are written are no template as well
        template = "" if write_captions else caption or ""
        words = (held or "", model or "", size, template, trigger_word or "", settings)
        looks = [look_at(FolderOptions(place, *words))]
    if write_captions:
        _write(looks, caption or "", quiet=as_json)
    seen = [_see(look, download=download) for look in looks]
    pages = [_page(one) for one in seen]
    if as_json:
        from lorakit.preview.as_json import seen_json

        told = [seen_json(one, page) for one, page in zip(seen, pages, strict=True)]
        click.echo(json.dumps(told, indent=1, ensure_ascii=False))
    else:
        for number, (one, page) in enumerate(zip(seen, pages, strict=True)):
            if number:
                click.echo()
            _print(one, page)
    if opens:
        show(pages)
    return outcome.INVALID if any(one.errors for one in seen) else outcome.DONE


def _of_recipe(
    document: Path, settings: tuple[str, ...], profile: str | None, only: tuple[str, ...]
) -> list[Look]:
    from lorakit.preview.looks import looks_of
    from lorakit.session import load

    return looks_of(load(document, settings=settings, profile=profile).project, only)


def _write(looks: list[Look], words: str, *, quiet: bool) -> None:
    from lorakit.preview.written_captions import holds_files, write_captions
    from lorakit.ui.data_view import written_lines

    # of several those that can be written into, where it is not said which
    chosen = looks if len(looks) == 1 else [one for one in looks if holds_files(one)]
    for look in {look.data: look for look in chosen}.values():
        written = write_captions(look, words)
        for line in written_lines(written):
            click.echo(line, err=quiet)


def _see(look: Look, *, download: bool) -> Seen:
    from lorakit.preview.seen import see

    what = "text" if look.source.texts else "picture"
    return see(look, _beside(look), counting(what), download=download)


def _beside(look: Look) -> Path:
    """Where a look's thumbnails are, beside its page."""
    page = _file(look)
    return page.with_name(f"{page.stem}-pictures")


def _file(look: Look) -> Path:
    from lorakit.execute.run_folder import OUTPUTS
    from lorakit.language.recipe.folders import folder_name

    return look.project.home / OUTPUTS / "data" / f"{folder_name(look.name)}.html"


def _page(seen: Seen) -> Path:
    from lorakit.pages.data_page import write_data_page

    return write_data_page(seen, _file(seen.look))


def _print(seen: Seen, page: Path) -> None:
    from lorakit.diagnostics import in_order, render
    from lorakit.ui.data_view import data_lines, page_line

    for line in data_lines(seen):
        click.echo(line)
    click.echo(f"\n{page_line(page)}\n")
    if seen.findings:
        click.echo(f"{render(in_order(seen.findings))}\n", err=True)
    errors, warnings = len(seen.errors), len(seen.findings) - len(seen.errors)
    state = "a training would stop at this" if errors else "a training can begin"
    click.echo(f"{state}: {_count(errors, 'error')}, {_count(warnings, 'warning')}")


def _count(number: int, noun: str) -> str:
    from lorakit.plan import numbers

    return numbers.count(number, noun)
