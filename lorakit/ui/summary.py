"""How a run ended, in a few lines: what was made, where it lies, what to do next."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from lorakit.execute.events import SUCCEEDED
from lorakit.plan import numbers
from lorakit.ui.theme import BAD, FAINT, GOOD, STRONG, WARN, clean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lorakit.execute.events import RunFinished
    from lorakit.ui.outline import Line
    from lorakit.ui.progress import Progress

_FAILURES = 8  # shown; the rest is counted: one cause fails many frames
_STYLES = {"done": GOOD, "failed": BAD, "interrupted": WARN}


def summary(progress: Progress) -> Iterator[Line]:
    """Yield the last lines of a run; none where it has not finished."""
    end = progress.finished
    if end is None:
        return
    yield from _failures(progress)
    counts = ", ".join(
        f"{number} {word}"
        for word, number in (
            ("made", end.made),
            ("cached", end.cached),
            ("failed", end.failed),
            ("skipped", end.skipped),
        )
        if number or word in SUCCEEDED
    )
    style = _STYLES[end.ending]
    yield [
        (f"{end.ending} ", f"{STRONG} {style}"),
        (f"in {numbers.duration(end.seconds)}: ", ""),
        (counts, ""),
    ]
    for name, path in (
        *(("film", film) for film in end.films or (end.film,)),
        ("contact sheet", end.contact_sheet),
        ("table", end.table),
        ("report", end.report),
    ):
        if path:
            yield [(name.ljust(15), STRONG), (short_path(path), "")]
    # in full: it need not be below this folder
    yield [("folder".ljust(15), STRONG), (end.folder, "")]
    if not end.copied:
        yield [("nothing was made: this folder holds everything; --copy for a new one", FAINT)]
    if end.workers:
        made = ", ".join(f"{name}: {count:,}" for name, count in sorted(end.workers.items()))
        yield [("made by".ljust(15), STRONG), (made, "")]
    for note in end.notes:
        yield [(clean(note), FAINT)]
    yield from _against_estimate(end)
    yield from _table(end.table)
    yield from _next(end)


def _against_estimate(end: RunFinished) -> Iterator[Line]:
    """What was expected and what came, of a run that trained something to its end."""
    if end.ending != "done" or not end.peak_memory:
        return
    words = [f"{numbers.duration(end.estimated_seconds)} expected"]
    words.append(f"{numbers.duration(end.seconds)} taken")
    if end.estimated_memory:
        words.append(f"memory {numbers.size(end.estimated_memory)} expected")
        words.append(f"{numbers.size(end.peak_memory)} taken")
    yield [("estimate".ljust(15), STRONG), (", ".join(words), "")]


def _table(path: str) -> Iterator[Line]:
    """A comparison's table, as it was written."""
    try:
        lines = Path(path).read_text("utf-8").splitlines() if path else []
    except OSError:
        return
    yield from ([(line, "")] for line in lines)


def _failures(progress: Progress) -> Iterator[Line]:
    for action, detail in progress.failures[:_FAILURES]:
        yield [("failed ", BAD), (f"{action}: {clean(detail)}", "")]
    more = len(progress.failures) - _FAILURES
    if more > 0:
        yield [(f"and {more} more failed; all are in events.jsonl", FAINT)]


def _next(end: RunFinished) -> Iterator[Line]:
    if end.ending == "interrupted":
        yield [("what was made is kept: run again to go on", FAINT)]
    elif end.ending == "failed":
        yield [("what was made is kept; details are in run.log", FAINT)]
    elif end.hint:
        yield [(end.hint, FAINT)]


def short_path(path: str) -> str:
    """Shorten a path to one from the current folder, where it lies in it."""
    try:
        relative = os.path.relpath(path)
    except ValueError:  # another drive
        return path
    return path if relative.startswith("..") else relative
