"""`lorakit diff`: what differs between two revisions, and what a run would make of it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lorakit import terminal
from lorakit.cli import outcome
from lorakit.cli.progress_line import tell
from lorakit.files import YAML_ENDINGS

if TYPE_CHECKING:
    from lorakit.diff.report import Comparison
    from lorakit.git.repository import Repository, Revision

_DASHES = "lorakit.diff.dashes"
_RANGE = re.compile(r"(?:^|[^/])\.{2,3}(?:$|[^/])")  # and no ../recipes/film.yaml


class _Words(click.Command):
    """Remembers where `--` stood: what follows it is a document."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if "--" in args:
            ctx.meta[_DASHES] = len(args) - args.index("--") - 1
        return super().parse_args(ctx, args)


@click.command("diff", cls=_Words)
@click.argument("words", nargs=-1, metavar="[A[..B]] [DOCS]...")
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    help="For people, scripts, or a pull request's comment.",
)
@click.option(
    "--images",
    is_flag=True,
    help="Changed frames before and after, as far as they were made: a picture, and in the terminal.",
)
@click.option("--json", "as_json", is_flag=True, help="Short for --format json.")
def command(words: tuple[str, ...], style: str, images: bool, as_json: bool) -> int:
    """Compare recipes and storyboards of two revisions: values, frames that are drawn again, and why.

    HEAD against the working tree by default; A against the working tree, A..B, or B against where it parted
    from A: A...B. All documents that a change touches, or those named.
    """
    from lorakit.diff.compare import comparison

    style = "json" if as_json else style
    if images and style != "text":
        raise click.UsageError("--images is for people: leave out --format")
    dashes = click.get_current_context().meta.get(_DASHES)
    revisions = words if dashes is None else words[: len(words) - dashes]
    documents = () if dashes is None else words[len(words) - dashes :]
    with _repository(words) as repository:
        if dashes is None:
            revisions, documents = _sorted(words, repository)
        before, after = sides_of(revisions, repository)
        asked = [Path(one) for one in documents]
        with comparison(repository, before, after, asked, tell) as found:
            _show(found, style, images=images)
    broken = any(document.after.problems for document in found.documents)
    return outcome.INVALID if broken else outcome.DONE


def _repository(words: tuple[str, ...]) -> Repository:
    """The repository of this folder; where it is in none, that of the first document. Raises GitError."""
    from lorakit.git.errors import GitError
    from lorakit.git.repository import Repository

    try:
        return Repository.around(Path.cwd())
    except GitError:
        found = next((path for path in map(Path, words) if path.exists()), None)
        if found is None:
            raise
    return Repository.around((found if found.is_dir() else found.parent).resolve())


def _sorted(
    words: tuple[str, ...], repository: Repository
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Which of the words is the revision: the first, if it names one. Raises click.UsageError."""
    if not words:
        return (), ()
    first = words[0]
    if _RANGE.search(first) and not Path(first).exists():
        return words[:1], words[1:]
    names_one = repository.is_revision(first)
    if names_one and Path(first).exists():
        raise click.UsageError(
            f"{first} is a revision and a file: write `lorakit diff {first} --` or `lorakit diff -- {first}`"
        )
    is_document = Path(first).suffix in YAML_ENDINGS or Path(first).exists()
    if names_one or not is_document:
        return words[:1], words[1:]
    return (), words


def sides_of(
    revisions: tuple[str, ...], repository: Repository
) -> tuple[Revision, Revision | None]:
    """The two sides that a command line names. Raises GitError, click.UsageError."""
    from lorakit.git.errors import GitError
    from lorakit.git.repository import HEAD, ranged

    if len(revisions) > 1:
        raise click.UsageError(f"two revisions are written {revisions[0]}..{revisions[1]}")
    first, last, parted = ranged(revisions[0] if revisions else HEAD)
    before = repository.revision(first)
    if last is None:
        if repository.root is None:
            raise GitError(
                "this repository has no working tree", f"compare two revisions: {first}~1..{first}"
            )
        return before, None
    after = repository.revision(last)
    return (repository.merge_base(before, after) if parted else before), after


def _show(found: Comparison, style: str, *, images: bool) -> None:
    if style == "json":
        from lorakit.ui.diff_json import comparison_as_json

        click.echo(json.dumps(comparison_as_json(found), indent=1, ensure_ascii=False))
    elif style == "markdown":
        from lorakit.ui.diff_markdown import comparison_as_markdown

        click.echo(comparison_as_markdown(found))
    else:
        from lorakit.ui.diff_view import show_comparison

        console = terminal.console()
        show_comparison(found, console)
        if images:
            from lorakit.ui.diff_images import show_images

            show_images(found, console)
