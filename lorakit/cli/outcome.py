"""How a command ends: exit codes, and errors as words instead of tracebacks."""

from __future__ import annotations

import contextlib
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from lorakit import terminal
from lorakit.diagnostics import InvalidDocument, LorakitError, in_words, render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorakit.diagnostics import Format
    from lorakit.execute.pool import Workers

DONE, FAILED, USAGE, INVALID, WORK_TO_DO, INTERRUPTED = 0, 1, 2, 3, 10, 130

_ENDINGS = {"done": DONE, "failed": FAILED, "interrupted": INTERRUPTED}


def of_ending(ending: str) -> int:
    """The exit code of a run that ended so."""
    return _ENDINGS.get(ending, FAILED)


def show_invalid(error: InvalidDocument, style: Format = "text") -> None:
    """Print every finding: for people on the error stream, for scripts on the output."""
    click.echo(render(error.diagnostics, style), err=style == "text")
    if style == "text":
        count = len(error.errors)
        click.echo(f"\n{count} error{'' if count == 1 else 's'}; nothing was made", err=True)


def fault(error: Exception) -> str:
    """A fault of ours in words; the traceback is kept where it can be sent from."""
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile(
        "w", prefix="lorakit-", suffix=".log", delete=False, encoding="utf-8"
    ) as file:
        traceback.print_exception(error, file=file)
    return (
        f"error: a fault inside lorakit, not in your documents: {terminal.line(in_words(error))}\n"
        f"the details are in {file.name}; please report them. What was made so far is kept."
    )


def guarded(
    command: click.Command, words: Sequence[str] | None = None, workers: Workers | None = None
) -> NoReturn:
    """Run the command line (this process's own, unless `words` are given) and leave with its exit code.

    `workers` are kept warm from one call to the next in the same process.
    """
    code = _code_of(command, words, workers)
    unwritten = terminal.unwritten()
    if unwritten is not None:
        with contextlib.suppress(OSError):
            reason = (unwritten.strerror or str(unwritten)).lower()
            click.echo(f"error: what was to be printed cannot be written: {reason}", err=True)
        code = code or FAILED
    sys.exit(code)


def _code_of(command: click.Command, words: Sequence[str] | None, workers: Workers | None) -> int:
    try:
        if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:  # as the package left it
            signal.signal(signal.SIGINT, signal.default_int_handler)
        _check_folder()
        code = command.main(words, standalone_mode=False, obj=workers)
    except InvalidDocument as error:
        show_invalid(error)
        return INVALID
    except LorakitError as error:
        click.echo(f"error: {terminal.indented(str(error))}", err=True)
        return FAILED
    except click.ClickException as error:
        error.show(file=sys.stderr)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except MemoryError:
        click.echo(
            "error: out of memory: close other programs, or make the recipe smaller", err=True
        )
        return FAILED
    except Exception as error:  # noqa: BLE001 - the last resort: words, and the traceback in a file
        click.echo(fault(error), err=True)
        return FAILED
    return code if isinstance(code, int) else DONE


def _check_folder() -> None:
    """Raise LorakitError where the current folder is gone: nothing could be found from it."""
    try:
        Path.cwd()
    except OSError as error:
        raise LorakitError(
            "the current folder was removed: change into one that is there"
        ) from error
