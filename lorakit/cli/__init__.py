"""The command line: each command is a module here, imported when it is called."""

from __future__ import annotations

import importlib
import os
import signal
from gc import set_threshold  # the name alone: a command here is called gc as well

import click

from lorakit import __version__

# command -> the line `lorakit --help` shows, so that help imports none of them
_COMMANDS = {
    "init": "Put a first project into a folder.",
    "validate": "Check recipes and storyboards, all errors at once.",
    "plan": "Show what a run would make, why, and what it would cost.",
    "diff": "Compare two revisions: what is drawn again, why, in how long.",
    "run": "Make what is missing: pictures, films, trainings, tables.",
    "pick": "Choose one of a frame's takes, or look at them.",
    "approve": "Hold frames as they are, or release them.",
    "watch": "Draw what changes whenever a file is saved, and show it in a browser.",
    "data": "Show a data set before a training, as the model will see it.",
    "resolve": "Show a recipe's merged values, and where each stands.",
    "lock": "Pin the models and data sets that recipes stand on.",
    "status": "Say which run is going on, what the last one made, what is out of date.",
    "attach": "Follow a run that is going on, until it ends.",
    "runs": "List the runs of this project; keep or remove them.",
    "cache": "Send results to the cache that a team shares, fetch them, look at it, clear it.",
    "gc": "Clear the store of what nothing leads to any more.",
    "doctor": "Say what is amiss on this machine and in this project, and the way out.",
    "models": "List the models that are here, or fetch one from the hub.",
    "bundle": "Put a run's documents, lock and adapters into one archive.",
    "verify": "Make a run again, and say whether it comes out as it did.",
    "report": "Make a run's page again: film, pictures, curves, tables.",
    "schema": "Print the schema of recipes or storyboards, or install both for editors.",
    "export": "Write an adapter, a story or a scene for another tool.",
    "mcp": "Serve this project to agents, by the Model Context Protocol.",
    "import": "Write what ComfyUI or A1111 drew as a recipe.",
}


class _Lazy(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        module = "imports" if cmd_name == "import" else cmd_name  # what no module can be called
        command: click.Command = importlib.import_module(f"lorakit.cli.{module}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            close = difflib.get_close_matches(args[0], _COMMANDS, n=1)
            if close:
                raise click.UsageError(
                    f"{error.message} Did you mean '{close[0]}'?", ctx
                ) from error
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="lorakit")
def command() -> None:
    """Recipes and storyboards in YAML become trained adapters, scene folders and films.

    Start with: lorakit init my-film && cd my-film && lorakit run recipes/quickstart.yaml
    """


def main() -> None:
    """The entry point. Exit codes: 0 done, 1 failed, 2 usage, 3 invalid document, 10, 130 interrupted."""
    from lorakit import terminal
    from lorakit.cli.outcome import guarded

    terminal.guard()
    # modules, documents and plans are no garbage: looking for some in them takes a twentieth of a command
    set_threshold(50_000, 20, 20)
    try:
        guarded(command)
    except KeyboardInterrupt:  # between two lines of ours
        os._exit(130)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # what ends has no words for it
