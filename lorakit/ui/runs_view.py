"""Runs as a list of lines: those that are over, and those that are going on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lorakit import terminal
from lorakit.plan import numbers
from lorakit.ui.columns import columns
from lorakit.ui.summary import short_path

if TYPE_CHECKING:
    from lorakit.execute.past_runs import PastRun
    from lorakit.execute.running import Running

_OUTCOMES = ("made", "cached", "failed", "skipped")
_THINGS = (("film", "film"), ("contact_sheet", "sheet"), ("table", "table"))


def counted(outcomes: Mapping[str, Any]) -> str:
    """What came of actions: `14 made, 3 cached`; empty where nothing has ended."""
    return ", ".join(f"{outcomes[word]:,} {word}" for word in _OUTCOMES if outcomes.get(word))


def date(seconds: float) -> str:
    """A moment by this machine's clock."""
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M")


def list_of(runs: Sequence[PastRun]) -> Iterator[str]:
    """Yield a line for each run."""
    rows = []
    for run in runs:
        made = counted(run.told)
        things = [word for key, word in _THINGS if run.told.get(key)]
        rows.append(
            (
                run.name,
                date(run.began),
                run.state,
                numbers.duration(run.seconds),
                f"{made}: {', '.join(things)}" if things else made,
                numbers.size(run.size()),
                "kept" if run.kept else "",
            )
        )
    return columns(rows)


def run_json(run: PastRun) -> dict[str, object]:
    """A run as JSON data."""
    return {
        "run": run.name,
        "folder": str(run.path),
        "began": datetime.fromtimestamp(run.began).astimezone().isoformat(timespec="seconds"),
        "state": run.state,
        "seconds": round(run.seconds, 3),
        **{word: run.told.get(word, 0) for word in _OUTCOMES},
        "films": list(run.told.get("films", ())),
        "bytes": run.size(),
        "kept": run.kept,
    }


def going_on(run: Running) -> Iterator[str]:
    """Yield what is to be said of a run that is going on."""
    since = run.began[11:16]
    yield terminal.line(
        f"{run.recipe} is running since {since}, for {numbers.duration(run.seconds)} (process {run.pid})"
        if since
        else f"{run.recipe} begins (process {run.pid})"
    )
    yield f"  folder  {terminal.quoted(short_path(run.folder))}"
    yield f"  so far  {how_far(run)}"
    several = len({worker for *_, worker in run.active}) > 1
    for id_, done, of, worker in run.active:
        so_far = f"  {done:,} of {of:,}" if of else ""
        where = f"  ({terminal.line(worker)})" if several and worker else ""
        yield f"  now     {terminal.line(id_)}{so_far}{where}"
    for event in run.last:
        yield event_line(event)


def how_far(run: Running) -> str:
    """How much of a run is through, and what may be left: `3 of 14 to make (3 made), about 2 min left`."""
    left = "" if run.left is None else f", {numbers.about(run.left)} left"
    told = counted(run.outcomes)
    return f"{run.through:,} of {run.to_make:,} to make{f' ({told})' if told else ''}{left}"


def event_line(event: Mapping[str, Any]) -> str:
    """What happened, with its time; empty for what is worth no line."""
    words = _words(event)
    return f"  {float(event.get('at', 0)):7.1f} s  {terminal.line(words)}" if words else ""


def _words(event: Mapping[str, Any]) -> str:
    match event.get("type"):
        case "run-started" | "action-started" | "action-progress":
            return ""
        case "action-finished":
            if event["outcome"] == "cached":
                return ""
            detail = event.get("detail", "")
            return f"{event['outcome']} {event['action']}{f': {detail}' if detail else ''}"
        case "worker":
            detail = event.get("detail", "")
            name = event.get("worker") or event["slot"]
            return f"{name} worker: {event['state']}{f' {detail}' if detail else ''}"
        case "run-finished":
            return f"{event['ending']}"
        case _:
            return f"note: {event.get('text', '')}"
