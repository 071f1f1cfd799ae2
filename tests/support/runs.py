"""Running lorakit as a user does, and reading what the run says of itself.

`run` and `lorakit` call the command in this process, whose workers stay warm from one test to the next: to
import torch and diffusers anew for each run was most of what the tests took. `run_alone` and `lorakit_alone`
start a process.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import hashlib
import io
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import psutil

from lorakit.execute.pool import Workers
from tests.support import nursery
from tests.support.nursery import settings


def command(*words: str) -> list[str]:
    """The command line of lorakit in this environment."""
    return [sys.executable, "-m", "lorakit", *words]


def environment() -> dict[str, str]:
    """The tests' environment; a traceback in a child is as loud as one here."""
    return {**os.environ, "PYTHONUTF8": "1", "COLUMNS": "120", "NO_COLOR": "1"}


@dataclass(frozen=True)
class Ran:
    """A run that is over."""

    code: int
    events: list[dict[str, Any]]
    folder: Path
    errors: str

    @property
    def finished(self) -> dict[str, Any]:
        return self.events[-1]

    @property
    def calls(self) -> dict[str, int]:
        """How often the networks' forward passes ran, by their own hooks."""
        return self.finished["calls"]

    def made(self, kind: str = "") -> list[str]:
        """Addresses of what was made, not taken from the store; `kind` is `frame`, `film`, ..."""
        kinds = {a["id"]: a["kind"] for a in self.manifest["actions"]}
        ended = [e for e in self.events if e["type"] == "action-finished"]
        return [
            e["action"]
            for e in ended
            if e["outcome"] == "made" and kind in ("", kinds[e["action"]])
        ]

    def made_below(self, address: str = "film/") -> set[str]:
        """The same below an address, without contact sheets, of a run that ended well."""
        assert self.code == 0, self.events
        return {name.removeprefix(address) for name in self.made() if "sheet" not in name}

    @property
    def manifest(self) -> dict[str, Any]:
        return json.loads((self.folder / "manifest.json").read_text())

    def pictures(self) -> dict[str, str]:
        """SHA-256 of every picture in the scene folders, by its path in the run folder."""
        return {
            path.relative_to(self.folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.folder.rglob("*.png"))
            if path.name != "contact_sheet.png"
        }


def run(home: Path, *words: str) -> Ran:
    """`lorakit run --json ...` in `home`, to its end."""
    done = lorakit(home, "run", "--json", *words)
    return _read(home, done.returncode, done.stdout, done.stderr)


def lorakit(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Any command in `home`, to its end, in this process."""
    from lorakit.cli import command as cli
    from lorakit.cli.outcome import guarded

    output, errors = io.StringIO(), io.StringIO()
    code: Any = None
    before = signal.getsignal(signal.SIGINT)
    workers = _warm_workers()
    try:
        with (
            contextlib.chdir(home),
            mock.patch.dict(os.environ, environment()),
            mock.patch.object(sys, "argv", ["lorakit", *words]),
            contextlib.redirect_stdout(output),
            contextlib.redirect_stderr(errors),
        ):
            guarded(cli, list(words), workers)
    except SystemExit as left:
        code = left.code
    finally:
        signal.signal(signal.SIGINT, before)
    told = output.getvalue(), errors.getvalue()
    return subprocess.CompletedProcess(command(*words), int(code or 0), *told)


_warm: dict[tuple[tuple[str, str], ...], Workers] = {}


def _warm_workers() -> Workers:
    """This process's workers: those that were started under the same settings of ours and the libraries."""
    now = settings()
    if now not in _warm:
        end_warm_workers()
        _warm[now] = Workers()
    return _warm[now]


def end_warm_workers() -> None:
    """End what `run` keeps."""
    while _warm:
        _warm.popitem()[1].close()


atexit.register(end_warm_workers)


def quick_command(*words: str) -> list[str]:
    """The command line of a lorakit that begins as a user's does, and whose workers are forked."""
    notes = _folder() / str(next(_numbers))
    notes.touch()
    return nursery.lorakit_beside(notes, *words)


def begin(home: Path, *words: str, **named: Any) -> subprocess.Popen[str]:
    """`lorakit WORDS` in `home` as a process that goes on beside the test; `named` are Popen's."""
    notes = _folder() / str(next(_numbers))
    notes.touch()
    process = subprocess.Popen(
        nursery.lorakit_beside(notes, *words),
        cwd=home,
        env=environment(),
        text=True,
        **named,
    )
    _notes[process.pid] = notes
    return process


_notes: dict[int, Path] = {}  # of what `begin` began
_numbers = itertools.count()


@functools.cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="lorakit-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def workers_of(
    process: subprocess.Popen[str] | None = None, kind: str = ""
) -> list[psutil.Process]:
    """The workers (of a kind) that a process of `begin`, or this one, has started and that are alive."""
    found = []
    with contextlib.suppress(psutil.Error):
        parent = psutil.Process(None if process is None else process.pid)
        found = [(p, p.cmdline()) for p in parent.children()]
    noted = nursery.forked
    if process is not None:
        lines = [line.split() for line in _notes[process.pid].read_text().splitlines()]
        noted = {int(pid): words for pid, *words in lines}
    for pid, words in noted.items():
        with contextlib.suppress(psutil.Error):
            found.append((psutil.Process(pid), words))
    ours = [(p, words) for p, words in found if "lorakit.execute.worker" in words]
    return [p for p, words in ours if not kind or kind in words]


def run_alone(home: Path, *words: str) -> Ran:
    """`lorakit run --json ...` in `home` as a process of its own, with workers of its own."""
    done = lorakit_alone(home, "run", "--json", *words)
    return _read(home, done.returncode, done.stdout, done.stderr)


def _read(home: Path, code: int, output: str, errors: str) -> Ran:
    events = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    folder = Path(events[0]["folder"]) if events else home
    return Ran(code, events, folder, errors)


def lorakit_alone(home: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Any command in `home`, to its end, as a process of its own; `settings` are variables of its environment."""
    with mock.patch.dict(os.environ, settings):
        process = begin(home, *words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    output, errors = process.communicate()
    return subprocess.CompletedProcess(process.args, process.returncode, output, errors)
