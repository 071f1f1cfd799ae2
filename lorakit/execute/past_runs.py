"""The runs that stand in a project's outputs: listed, found by name, marked to be kept, removed."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
from collections.abc import Collection, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

from lorakit.diagnostics import LorakitError
from lorakit.execute.events import EVENTS, Ending
from lorakit.execute.run_folder import LATEST, LOG, OUTPUTS, latest, name_latest, numbered
from lorakit.files import open_regular
from lorakit.records import record
from lorakit.store import atomic
from lorakit.store.errors import why

KEPT = ".keep"
GOING_ON, BROKEN_OFF = "running", "broken off"
_NUMBERS = ("seconds", "made", "cached", "failed", "skipped")
# bytes of events that are read of each run; longer last lines are read for
_HEAD, _TAIL = 8_192, 65_536
_MOST = 64 << 20  # bytes of a last line
_MOST_OF_ANY = 1e9  # seconds, or things that were made
_MOST_TIME = 2e11  # s since 1970; in 6,000 years


@record
class PastRun:
    """One run folder. `began` in seconds since 1970; `state` is how it ended, `running` or `broken off`."""

    path: Path
    began: float
    state: str
    seconds: float
    kept: bool
    told: dict[str, Any]  # the last event of a run that ended

    @property
    def name(self) -> str:
        """What users call it: quickstart/003."""
        return f"{self.path.parent.name}/{self.path.name}"

    def size(self) -> int:
        """The bytes of its files; those that its file system shares with the store are counted as well."""
        return sum(_sizes(self.path))


def runs_of(home: Path, living: Collection[str] = ()) -> list[PastRun]:
    """All runs of a project, the oldest first; `living` are the folders of runs that are going on."""
    read = (_read(path, living) for path in _folders(home / OUTPUTS))
    return sorted(filter(None, read), key=lambda run: (run.began, run.path))


def find(runs: Collection[PastRun], name: str) -> PastRun:
    """The run that is meant by `quickstart/003`, `3` where one recipe has it alone, or a path.

    Raises LorakitError.
    """
    text = name.rstrip("/\\")
    recipe, _, number = text.replace("\\", "/").rpartition("/")
    by_path = [r for r in runs if os.path.abspath(text) == str(r.path)]  # noqa: PTH100 - links stay
    by_name = [
        r
        for r in runs
        if number.isdecimal()
        and int(r.path.name) == int(number)
        and recipe in ("", r.path.parent.name)
    ]
    found = by_path or by_name
    if len(found) == 1:
        return found[0]
    if found:
        any_of = ", ".join(run.name for run in found)
        raise LorakitError(f"{name} may be any of {any_of}: write one of these")
    import difflib

    names = [run.name for run in runs]
    close = difflib.get_close_matches(text, names, n=1, cutoff=0.7)
    if close:
        raise LorakitError(f"there is no run {name}; did you mean {close[0]}?")
    last = f"; the last is {names[-1]}" if names else ", nor any other: `lorakit run` makes one"
    raise LorakitError(f"there is no run {name}{last}")


def meant(home: Path, runs: Collection[PastRun], name: str | None) -> Path:
    """The run folder that is meant: the newest of all, or of a recipe, or what `find` finds, or any folder.

    `runs` are a project's, the oldest first. Raises LorakitError.
    """
    if name is not None and (Path(name) / EVENTS).is_file():
        return Path(os.path.abspath(name))  # noqa: PTH100 - links stay
    if name is None and not runs:
        raise LorakitError(f"there are no runs in {home}: `lorakit run` makes one")
    newest = [run for run in runs if name is None or run.path.parent.name == name]
    return (newest[-1] if newest else find(runs, name or "")).path


def mark(run: PastRun, *, kept: bool) -> None:
    """Mark a run, so that `lorakit gc` keeps it and what it was made from, or take the mark off."""
    try:
        if kept:
            atomic.write_bytes(run.path / KEPT, b"", durable=False)
        else:
            (run.path / KEPT).unlink(missing_ok=True)
    except OSError as error:
        raise LorakitError(f"{run.path} cannot be marked: {why(error)}") from error


def why_not_removed(run: PastRun) -> str:
    """Why a run may not be removed, with the way out; empty where it may."""
    if run.state == GOING_ON:
        return f"{run.name} is going on: stop it first"
    if run.kept:
        return f"{run.name} is kept: `lorakit runs keep --no-keep {run.name}` takes the mark off"
    return ""


def remove(run: PastRun) -> None:
    """Remove a run's folder; the latest of its recipe is then the newest complete one that is left.

    Raises LorakitError.
    """
    home = run.path.parent
    try:
        shutil.rmtree(run.path)
        if latest(home) == run.path.name:
            rest = [one for one in map(_read, numbered(home)) if one and one.state == "done"]
            if rest:
                name_latest(rest[-1].path)
            else:
                (home / LATEST).unlink(missing_ok=True)
    except OSError as error:
        raise LorakitError(f"{run.path} cannot be removed: {why(error)}") from error


def latest_runs(runs: Collection[PastRun]) -> set[Path]:
    """For each recipe the run that counts as its latest complete one, and the newest."""
    found: set[Path] = set()
    for home in {run.path.parent for run in runs}:
        mine = [run for run in runs if run.path.parent == home]
        found.add(max(mine, key=lambda run: int(run.path.name)).path)
        complete = latest(home)
        found.update(run.path for run in mine if run.path.name == complete)
    return found


def _folders(outputs: Path) -> Iterator[Path]:
    with contextlib.suppress(OSError), os.scandir(outputs) as recipes:
        # `outputs` may be a link to another disk; what is in it is ours alone
        for recipe in [e for e in recipes if e.is_dir(follow_symlinks=False)]:
            yield from numbered(Path(recipe.path))


def _read(path: Path, living: Collection[str] = ()) -> PastRun | None:
    """A run by its folder; None where that is no run's, whatever its name: what is in it is another's."""
    started, ended, touched = _ends(path)
    if not started and not all(os.path.lexists(path / name) for name in (EVENTS, LOG)):
        return None
    seconds = float(ended.get("seconds", 0.0)) if ended else 0.0
    try:
        began = datetime.fromisoformat(str(started.get("began", ""))).timestamp()
    except (ValueError, OverflowError, OSError):  # a run of an earlier version
        began = touched - seconds
    if not 0 <= began < _MOST_TIME:
        began = touched
    state = str(ended["ending"]) if ended else BROKEN_OFF
    if not ended and str(path) in living:
        state, touched = GOING_ON, time.time()
    seconds = seconds or max(0.0, touched - began)
    return PastRun(path, began, state, seconds, (path / KEPT).exists(), ended)


def _ends(path: Path) -> tuple[dict[str, Any], dict[str, Any], float]:
    """The first event, the last one if the run has ended, and when events were written last."""
    try:
        with open_regular(path / EVENTS, follow=False) as file:
            status = os.fstat(file.fileno())
            first = _event(file.readline(_HEAD), "run-started")
            tail, size = b"", _TAIL
            while True:
                file.seek(max(0, status.st_size - size))
                tail = file.read(size)
                if b"\n" in tail[:-1] or size >= min(status.st_size, _MOST):
                    break
                size *= 8  # a last line that is longer than this
            last = _event(tail.rstrip(b"\n").rpartition(b"\n")[2], "run-finished")
            return first, last, status.st_mtime
    except OSError:
        with contextlib.suppress(OSError):
            return {}, {}, path.stat().st_mtime
        return {}, {}, 0.0


def _event(line: bytes, kind: str) -> dict[str, Any]:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(event, dict) or event.get("type") != kind:
        return {}
    if kind == "run-finished":
        whole = event.get("ending") in get_args(Ending) and all(
            _is_number(event.get(name, 0)) for name in _NUMBERS
        )
        return event if whole and isinstance(event.get("films", []), list) else {}
    return event


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and 0 <= value < _MOST_OF_ANY  # no NaN either


def _sizes(folder: Path) -> Iterator[int]:
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _sizes(Path(entry.path))
            else:
                yield entry.stat(follow_symlinks=False).st_size
