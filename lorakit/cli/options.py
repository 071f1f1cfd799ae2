"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from lorakit.plan.planner import Selection

F = TypeVar("F", bound=Callable[..., Any])

document = click.argument(
    "document",
    type=click.Path(path_type=Path),
    default=Path("recipe.yaml"),
    metavar="[RECIPE|STORYBOARD]",
)
settings = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="PATH=VALUE",
    help="Change one value, as in --set steps.film.model=sd14.",
)
profile = click.option(
    "--profile", metavar="NAME", help="Merge one of the recipe's profiles over it."
)
only = click.option(
    "--only",
    multiple=True,
    metavar="STEP",
    help="Only this step, scene (film/meadow) or frame, and what it needs.",
)
force = click.option(
    "--force",
    multiple=True,
    metavar="STEP",
    help="Make this step, scene or frame again; 'all' for everything.",
)
environment = click.option(
    "--environment",
    type=click.Choice(["reuse", "rebuild"]),
    default="reuse",
    help="What to do with results that other versions of the libraries made.",
)
draft = click.option(
    "--draft", is_flag=True, help="A quick look: 8 steps, half the size where the model can."
)


def planning(function: F) -> F:
    """Everything that decides what a plan is about."""
    for option in (environment, draft, force, only, profile, settings, document):
        function = option(function)
    return function


def selection(
    only: tuple[str, ...], force: tuple[str, ...], draft: bool, environment: str, steps: set[str]
) -> Selection:
    """The selection of a command line. Raises click.UsageError for a step that there is not."""
    from lorakit.plan.planner import Selection

    named = tuple(name for name in force if name != "all")
    for option, names in (("--only", only), ("--force", named)):
        for name in names:
            step = name.split("/", 1)[0]
            if step not in steps:
                known = ", ".join(sorted(steps))
                raise click.UsageError(
                    f"{option} {name}: there is no step '{step}'; there are: {known}"
                )
    return Selection(only, named, "all" in force, draft, environment == "rebuild")
