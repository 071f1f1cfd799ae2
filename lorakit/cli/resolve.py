"""`lorakit resolve`: what a document comes to, and where each value stands."""

from __future__ import annotations

import json
from pathlib import Path

import click

from lorakit import terminal
from lorakit.cli import options, outcome


@click.command("resolve")
@options.document_argument
@options.set_option
@options.profile_option
@click.option("--yaml", "as_yaml", is_flag=True, help="YAML without the origins.")
@click.option("--json", "as_json", is_flag=True, help="The values and their origins as JSON.")
def command(
    document: Path,
    settings: tuple[str, ...],
    profile: str | None,
    as_yaml: bool,
    as_json: bool,
) -> int:
    """Show the values of a document after `extends`, --profile and --set, each with its file and line."""
    if as_yaml and as_json:
        raise click.UsageError("--yaml or --json, not both")
    from lorakit.language import origins
    from lorakit.session import load_tree

    root = load_tree(document, settings=settings, profile=profile)
    profiles = origins.profiles_of(root)
    if as_json:
        told = {
            "document": document.as_posix(),
            "profile": profile,
            "profiles": list(profiles),
            "values": [one._asdict() for one in origins.values(root)],
            "merged": origins.plain(root),
        }
        click.echo(json.dumps(told, indent=1, ensure_ascii=False))
        return outcome.DONE
    click.echo(origins.as_yaml(root, origins=not as_yaml), nl=False)
    if profiles and profile is None and not as_yaml:
        click.echo(f"# profiles: {terminal.line(', '.join(profiles))} (--profile NAME)")
    return outcome.DONE
