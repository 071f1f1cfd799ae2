"""How a command ends: exit codes, and errors as words instead of tracebacks."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NoReturn

import click

from lorakit import terminal
from lorakit.diagnostics import InvalidDocument, LorakitError, in_words, render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorakit.diagnostics import Format
    from lorakit.execute.pool import Workers

DONE, FAILED, USAGE, INVALID, WORK_TO_DO, INTERRUPTED = 0, 1, 2, 3, 10, 130


def show_invalid(error: InvalidDocument, style: Format = "text") -> None:
    """Print every finding: for people on the error stream, for scripts on the output."""
    click.echo(render(error.diagnostics, style), err=style == "text")
    if style == "text":
        count = len(error.errors)
        click.echo(f"\n{count} error{'' if count == 1 else 's'}; nothing was made", err=True)


def _report_bug(error: Exception) -> None:
    """A fault of ours: say so in words, and keep the traceback where it can be sent from."""
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile(
        "w", prefix="lorakit-", suffix=".log", delete=False, encoding="utf-8"
    ) as file:
        traceback.print_exception(error, file=file)
    click.echo(
        f"error: a fault inside lorakit, not in your documents: {terminal.line(in_words(error))}\n"
        f"the details are in {file.name}; please report them. What was made so far is kept.",
        err=True,
    )


def guarded(
    command: click.Command, words: Sequence[str] | None = None, workers: Workers | None = None
) -> NoReturn:
    """Run the command line (this process's own, unless `words` are given) and leave with its exit code.

    `workers` are kept warm from one call to the next in the same process.
    """
    try:
        code = command.main(words, standalone_mode=False, obj=workers)
    except InvalidDocument as error:
        show_invalid(error)
        sys.exit(INVALID)
    except LorakitError as error:
        click.echo(f"error: {terminal.indented(str(error))}", err=True)
        sys.exit(FAILED)
    except click.ClickException as error:
        error.show(file=sys.stderr)
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # the reader of our output left (`lorakit plan | head`): not an error
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(DONE)
    except Exception as error:  # noqa: BLE001 - the last resort: words, and the traceback in a file
        _report_bug(error)
        sys.exit(FAILED)
    sys.exit(code if isinstance(code, int) else DONE)
