"""`lorakit schema`: what editors check documents by."""

from __future__ import annotations

import json

import click

from lorakit import resources, terminal
from lorakit.cli import outcome

_NAMES = ("recipe", "storyboard")
_MOST = 10  # documents that are told one by one


@click.command("schema")
@click.argument("name", type=click.Choice(_NAMES), required=False, metavar="[recipe|storyboard]")
@click.option(
    "--install",
    is_flag=True,
    help="Write both for editors: into .lorakit/schemas/, and to where documents say theirs is.",
)
@click.option("--json", "as_json", is_flag=True, help="What was installed, as JSON.")
def command(name: str | None, install: bool, as_json: bool) -> int:
    """Print the JSON Schema of recipes or storyboards, or install both for editors."""
    if install and name:
        raise click.UsageError("--install writes both schemas: leave the name out")
    if install:
        return _install(as_json=as_json)
    if name is None:
        raise click.UsageError(f"say which: {', '.join(_NAMES)}; or --install for both")
    text = (resources.path("schemas") / f"{name}.schema.json").read_text("utf-8")
    click.echo(text.rstrip("\n"))
    return outcome.DONE


def _install(*, as_json: bool) -> int:
    from lorakit.facts.files import modelines
    from lorakit.language import FolderReader
    from lorakit.language.found import documents_below
    from lorakit.language.projects import home_of_folder

    reader = FolderReader()
    home = home_of_folder(reader)
    documents = [modelines.modeline_of(path) for path in documents_below(home)]
    done = modelines.install(home, documents)
    folder = modelines.schema_folder(home)
    without = [document for document in documents if not document.resolves]
    if as_json:
        told = {
            "files": {reader.display(path): what for path, what in done.items()},
            "documents": [
                {
                    "document": reader.display(document.document),
                    "schema": document.written or None,
                    "resolves": document.resolves,
                    "to_add": None
                    if document.resolves
                    else modelines.line_for(document.document, folder),
                }
                for document in documents
            ],
        }
        click.echo(json.dumps(told, indent=1, ensure_ascii=False))
        return outcome.DONE
    for path, what in done.items():
        shown = terminal.quoted(reader.display(path))
        click.echo(f"{what:8} {shown}{': no schema of lorakit' * (what == 'foreign')}")
    if without:
        click.echo("\nfor completion in editors, on top of")
    for document in without[:_MOST]:
        click.echo(f"  {terminal.quoted(reader.display(document.document))}")
        click.echo(f"    {terminal.quoted(modelines.line_for(document.document, folder))}")
    if len(without) > _MOST:
        click.echo(f"  and {len(without) - _MOST} more; --json has all")
    return outcome.DONE
