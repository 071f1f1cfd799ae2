"""`lorakit init`: a project that runs, ready for git."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from lorakit import __version__, resources
from lorakit.diagnostics import LorakitError
from lorakit.files import read_regular
from lorakit.language.projects import FOLDER
from lorakit.store.errors import why

_TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
_BESIDE = {  # what stands beside the documents -> its template
    ".gitignore": "gitignore",
    ".gitattributes": "gitattributes",
    ".pre-commit-config.yaml": "pre-commit-config.yaml",
    ".vscode/settings.json": "vscode/settings.json",
    ".vscode/extensions.json": "vscode/extensions.json",
    ".github/workflows/storyboards.yml": "github/storyboards.yml",
}
_IGNORED = ("outputs/", ".lorakit/")
_MOST = 10_000_000  # bytes of a .gitignore


@dataclass(frozen=True)
class Template:
    """What a project begins with: the recipe to run first, its storyboards, and what stands beside them."""

    recipe: str
    storyboards: tuple[str, ...] = ()


TEMPLATES = {
    "film": Template(
        "quickstart.yaml",
        (
            "bunny-magic-hat.yaml",
            "alien-explorer-on-mars.yaml",
            "music/red-planet.ogg",
            "fox-and-key.yaml",
        ),
    ),
    "text": Template("bootcamp-text.yaml"),
    "style": Template("bootcamp-image.yaml"),
}


def _files(template: Template) -> Iterator[tuple[Path, bytes]]:
    """Each file of a project with what stands in it."""
    recipe = resources.path("recipes") / template.recipe
    yield Path("recipes") / template.recipe, recipe.read_bytes()
    for board in template.storyboards:
        yield Path("storyboards") / board, (resources.path("storyboards") / board).read_bytes()
    for schema in sorted(resources.path("schemas").glob("*.json")):
        yield Path("schemas") / schema.name, schema.read_bytes()
    for name, source in _BESIDE.items():
        text = (_TEMPLATES / source).read_text("utf-8")
        yield Path(name), text.replace("@VERSION@", __version__).encode()


def _not_ignored(gitignore: Path) -> list[str]:
    """What a .gitignore that was there already should hold besides."""
    try:
        text = read_regular(gitignore, _MOST).decode("utf-8", "replace")
    except OSError:  # it is none that git could read
        return []
    lines = {line.strip().lstrip("/") for line in text.split("\n")}
    return [name for name in _IGNORED if not lines & {name, name.rstrip("/")}]


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path), default=Path(), metavar="[FOLDER]")
@click.option(
    "--template",
    "name",
    type=click.Choice(sorted(TEMPLATES)),
    default="film",
    show_default=True,
    help="A film from a storyboard, a classifier of texts, or a style learned from pictures.",
)
@click.option("--json", "as_json", is_flag=True, help="Say in JSON what was written.")
def command(folder: Path, name: str, as_json: bool) -> None:
    """Put a first project into FOLDER: documents, and what git, editors and pull requests need.

    Never overwrites a file.
    """
    template = TEMPLATES[name]
    missing: list[str] = []
    ends: dict[str, list[str]] = {"written": [], "kept": [], "left_out": []}

    def tell(end: str, target: Path, why_so: str = "") -> None:
        ends[end].append(target.as_posix())
        if not as_json:
            click.echo(f"{end.replace('_', ' '):<8} {target}{why_so}")

    try:
        for file, content in _files(template):
            target = folder / file
            if os.path.lexists(target):  # a link to nothing is somebody's too
                tell("kept", target)
                if file.name == ".gitignore":
                    missing = _not_ignored(target)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.parent.resolve().is_relative_to(folder.resolve()):
                tell("left_out", target, ": its folder is a link that leads elsewhere")
                continue
            with target.open("xb") as made:
                made.write(content)
            tell("written", target)
        # marks the folder as a project's root, which paths may not leave
        (folder / FOLDER).mkdir(exist_ok=True)
    except OSError as error:
        raise LorakitError(f"{folder} cannot be written: {why(error)}") from error
    if as_json:
        run = f"recipes/{template.recipe}"
        click.echo(json.dumps({**ends, "ignore": missing, "run": run}, ensure_ascii=False))
        return
    if missing:
        click.echo(f"\n{folder / '.gitignore'} should also hold: {' '.join(missing)}")
    where = "" if folder == Path() else f"cd {folder} && "
    click.echo(f"\nnext: {where}lorakit run recipes/{template.recipe}")
