"""`lorakit run --detach`: the same command as a process of its own, which a closed terminal does not end."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from typing import Any

import click

from lorakit import children, terminal
from lorakit.cli import outcome

_OURS = ("--detach", "--json", "--plain")


def run_detached(words: Sequence[str], *, as_json: bool) -> int:
    """Begin `lorakit WORDS` in a session of its own; say where it writes, once it has begun to make things.

    What is wrong before that is said here, as ever, and ends both.
    """
    own = [word for word in words[1:] if word not in _OURS]
    # no signal of this terminal reaches it
    apart: dict[str, Any] = (
        {"creationflags": _flag("CREATE_NEW_PROCESS_GROUP") | _flag("DETACHED_PROCESS")}
        if os.name == "nt"
        else {"start_new_session": True}
    )
    # not this terminal's, nor a pipe that somebody would wait for
    errors = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - the child has it as well
    child = subprocess.Popen(
        children.python("lorakit", words[0], "--json", *own),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=errors,
        env=children.environment(),
        text=True,
        encoding="utf-8",
        **apart,
    )
    assert child.stdout is not None
    started: dict[str, Any] = {}
    try:
        for line in child.stdout:
            event = _event(line)
            if event.get("type") == "run-started":
                started = event
                if not event.get("to_make"):
                    break  # it ends at once
                continue
            if not started:
                continue
            # it holds its place in the store by now, where others find it
            _say(started, child.pid, as_json=as_json)
            # from here on it tells its run folder alone: nobody reads what it prints
            child.stdout.close()
            errors.close()
            return outcome.DONE
    except KeyboardInterrupt:
        child.terminate()
        raise
    with contextlib.suppress(ValueError):
        rest = child.stdout.read().splitlines()
        _say_end(_event(rest[-1]) if rest else {}, as_json=as_json)
    child.stdout.close()
    code = child.wait()
    with errors:
        errors.seek(0)
        click.echo(errors.read(), err=True, nl=False)
    return code


def _flag(name: str) -> int:
    return int(getattr(subprocess, name, 0))  # Windows has them


def _event(line: str) -> dict[str, Any]:
    with contextlib.suppress(ValueError):
        event = json.loads(line)
        if isinstance(event, dict):
            return event
    return {}


def _say(event: dict[str, Any], pid: int, *, as_json: bool) -> None:
    folder = str(event["folder"])
    if as_json:
        click.echo(json.dumps({"folder": folder, "pid": pid}, ensure_ascii=False))
        return
    stop = f"taskkill /pid {pid}" if os.name == "nt" else f"kill -INT {pid}"
    click.echo(f"folder  {terminal.quoted(folder)}")
    click.echo("follow  lorakit attach")
    click.echo(f"stop    {stop}")


def _say_end(event: dict[str, Any], *, as_json: bool) -> None:
    if event and as_json:
        click.echo(json.dumps({"folder": event.get("folder", ""), "pid": 0}, ensure_ascii=False))
    elif event:
        click.echo(f"folder  {terminal.quoted(str(event.get('folder', '')))}")
        click.echo("nothing was left to make")
