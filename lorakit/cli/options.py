"""What `plan` and `run` have in common: which document, which part of it, and how."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from lorakit.language.recipe.project import Project
    from lorakit.language.yaml.reader import Reader
    from lorakit.plan.selection import Selection
    from lorakit.plan.states import Plan
    from lorakit.session import Session

R = TypeVar("R")


@dataclass(frozen=True)
class Request:
    """The words of a command line that say what is to be planned."""

    document: Path
    settings: tuple[str, ...]
    profile: str | None
    only: tuple[str, ...]
    force: tuple[str, ...]
    draft: bool
    environment: str
    preview: bool = False

    def open(self, reader: Reader | None = None) -> tuple[Session, Selection]:
        """Load the document, through a `reader` if one is given.

        Raises InvalidDocument, and click.UsageError for a step there is not.
        """
        from lorakit.plan.selection import Selection
        from lorakit.session import load

        session = load(self.document, settings=self.settings, profile=self.profile, reader=reader)
        steps = session.project.recipe.steps
        spelled = session.project.recipe.spelled
        only = tuple(map(spelled, self.only))
        forced = tuple(spelled(name) for name in self.force if name != "all")
        for option, names in (("--only", only), ("--force", forced)):
            for name in names:
                step = name.split("/", 1)[0]
                if step not in steps:
                    known = ", ".join(sorted(steps))
                    raise click.UsageError(
                        f"{option} {name}: there is no step '{step}'; there are: {known}"
                    )
        rebuild = self.environment == "rebuild"
        every = "all" in self.force
        return session, Selection(only, forced, every, self.draft, rebuild, self.preview)

    def check_reach(self, plan: Plan, project: Project) -> None:
        """Raises click.UsageError where --only or --force names a scene or frame that there is not."""
        ids = [planned.action.id for planned in plan.actions]
        known = {part for id_ in ids for part in (id_, id_.rpartition("/")[0])}
        for option, names in (("--only", self.only), ("--force", self.force)):
            for name in map(project.recipe.spelled, names):
                if name == "all" or any(id_ == name or id_.startswith(f"{name}/") for id_ in ids):
                    continue
                held = project.recipe.held_frame(name)
                if held:
                    raise click.UsageError(
                        f"{option} {name}: it holds the frame before it (repeat: true); "
                        f"write {option} {held}"
                    )
                import difflib

                close = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.75)
                hint = f"; did you mean {close[0]}?" if close else ""
                raise click.UsageError(f"{option} {name}: there is no such scene or frame{hint}")


document_argument = click.argument(
    "document",
    type=click.Path(path_type=Path),
    default=Path("recipe.yaml"),
    metavar="[RECIPE|STORYBOARD]",
)
set_option = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="PATH=VALUE",
    help="Change one value, as in --set steps.film.model=sd14.",
)
profile_option = click.option(
    "--profile", metavar="NAME", help="Merge one of the recipe's profiles over it."
)
_OPTIONS = (
    document_argument,
    set_option,
    profile_option,
    click.option(
        "--only",
        multiple=True,
        metavar="STEP",
        help="Only this step, scene (film/meadow) or frame, and what it needs.",
    ),
    click.option(
        "--force",
        multiple=True,
        metavar="STEP",
        help="Make this step, scene or frame again; 'all' for everything.",
    ),
    click.option(
        "--draft", is_flag=True, help="A quick look: 8 steps, half the size where the model can."
    ),
    click.option(
        "--preview",
        is_flag=True,
        help="Films in seconds: mp4 alone, 240 px high, quickly encoded; pictures as they are.",
    ),
    click.option(
        "--environment",
        type=click.Choice(["reuse", "rebuild"]),
        default="reuse",
        help="What to do with results that other versions of the libraries made, or another GPU.",
    ),
)


def planning(function: Callable[..., R]) -> Callable[..., R]:
    """Give a command the options of planning, and hand them to it as one request."""

    @functools.wraps(function)
    def wrapped(
        document: Path,
        settings: tuple[str, ...],
        profile: str | None,
        only: tuple[str, ...],
        force: tuple[str, ...],
        draft: bool,
        preview: bool,
        environment: str,
        **rest: Any,
    ) -> R:
        asked = (document, settings, profile, only, force, draft, environment, preview)
        request = Request(*asked)
        return function(request, **rest)

    command: Callable[..., R] = wrapped
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
