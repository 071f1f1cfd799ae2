"""What a run cost and why it did what it did, as parts of a page."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from lorakit.execute.past_action import PastAction
from lorakit.execute.past_run import WholeRun
from lorakit.pages.parts import (
    Document,
    Fact,
    FactList,
    Finding,
    Measure,
    Measures,
    Reason,
    Reasons,
    Tone,
)
from lorakit.pages.run_pictures import outcome_words
from lorakit.plan import numbers
from lorakit.plan.tasks.table import TASKS

_PLACE = re.compile(r" \((.+):(\d+):(\d+)\)\Z")
_NAMED = 200  # actions that a reason names
_TONES: Mapping[str, Tone] = {"made": "made", "cached": "cached", "failed": "failed", "": "skipped"}


def measures(run: WholeRun) -> Measures | None:
    """Time and memory: what the plan expected, and what the run took."""
    items = []
    if run.expected_seconds and run.seconds:
        items.append(_measure("Time", run.expected_seconds, run.seconds, numbers.duration))
    if run.expected_memory and run.peak_memory:
        name = "Memory of the largest training"
        items.append(_measure(name, run.expected_memory, run.peak_memory, numbers.size))
    if not items:
        return None
    note = {
        True: "Expected from what this machine took before.",
        False: "Expected by a first guess.",
    }
    return Measures(items, "" if run.measured is None else note[run.measured])


def _measure(name: str, expected: float, came: float, say: Callable[[float], str]) -> Measure:
    return Measure(name, expected, came, say(expected), say(came))


def environment(run: WholeRun) -> FactList:
    """Machine, workers where there were several, calls of the networks, versions."""
    items = [Fact("Machine", run.machine)] if run.machine else []
    shares = ", ".join(f"{name} made {n:,.0f}" for name, n in run.workers.items())
    items += [Fact("Workers", shares)] if shares else []
    said = ", ".join(f"{n:,.0f} of {name.replace('_', ' ')}" for name, n in run.calls.items())
    items += [Fact("Calls", said)] if said else []
    items += [Fact(name, version) for name, version in run.environment.items()]
    return FactList(items)


def findings(run: WholeRun) -> Iterator[Finding]:
    """What the plan warned of."""
    for told in run.warnings:
        line, column, length = (told.get(k) for k in ("line", "column", "length"))
        file, hints = told.get("file"), told.get("hints")
        place = f"{file}:{line}:{column}" if file and line else ""
        yield Finding(
            "warning",
            str(told.get("code", "")),
            str(told.get("message", "")),
            place,
            str(told.get("excerpt") or ""),
            line if isinstance(line, int) else 0,
            max(1, column) if isinstance(column, int) else 1,
            max(1, length) if isinstance(length, int) else 1,
            tuple(map(str, hints)) if isinstance(hints, list) else (),
        )


def failures(run: WholeRun) -> Iterator[Finding]:
    """What failed, and why."""
    for action in run.actions:
        if action.outcome == "failed":
            place = "{}:{}:{}".format(*action.place) if action.place else ""
            yield Finding("error", "failed", f"{action.id}: {action.detail}", place)


def by_step(run: WholeRun) -> dict[str, list[PastAction]]:
    """The actions of each step, in their order."""
    steps: dict[str, list[PastAction]] = {}
    for action in run.actions:
        steps.setdefault(action.step, []).append(action)
    return steps


def reasons(run: WholeRun, lines: Mapping[str, str]) -> Iterator[Reasons]:
    """Step by step what was made, what was kept, and why."""
    for step, actions in by_step(run).items():
        groups: dict[tuple[str, str], list[PastAction]] = {}
        for action in actions:
            groups.setdefault((_outcome(action), _why(action)), []).append(action)
        items = [_reason(key, group, lines) for key, group in groups.items()]
        counts = [(w, sum(a.outcome == w for a in actions)) for w in ("made", "cached", "failed")]
        words = {"cached": "kept"}
        note = ", ".join(f"{n} {words.get(word, word)}" for word, n in counts if n)
        yield Reasons(step, note or "nothing made", items)


def _outcome(action: PastAction) -> str:
    return action.outcome if action.outcome in ("made", "cached", "failed") else ""


def _why(action: PastAction) -> str:
    match action.outcome:
        case "made":
            return action.reason or ("not made before" if action.state else "made")
        case "cached":
            return action.reason if action.state == "cached" and action.reason else _KEPT
    return outcome_words(action)


_KEPT = "nothing that decides it has changed"


def _reason(
    key: tuple[str, str], actions: Sequence[PastAction], lines: Mapping[str, str]
) -> Reason:
    outcome, why = key
    place = _PLACE.search(why)
    at = lines.get(place[1]) if place else None
    link = f"{at}-{place[2]}" if at and place else ""
    named = [a.id for a in actions[:_NAMED]]
    if len(actions) > _NAMED:
        named.append(f"and {len(actions) - _NAMED:,} more")
    nouns = Counter(_noun(action) for action in actions)
    count = ", ".join(numbers.count(n, noun) for noun, n in nouns.items())
    return Reason(why, count, _TONES[outcome], link, named)


def _noun(action: PastAction) -> str:
    """What a thing of its kind is called."""
    if action.kind.startswith("train-"):
        return "training"
    task = TASKS.get(action.kind)
    return task.noun if task and task.noun != "action" else action.kind.replace("-", " ") or "thing"


def document_ids(run: WholeRun) -> dict[str, str]:
    """An id on the page for each document, by its name."""
    return {name: f"doc-{number}" for number, name in enumerate(run.documents, 1)}


def documents(run: WholeRun) -> Iterator[Document]:
    """Recipes, storyboards and whatever else decided the run, as they were."""
    ids = document_ids(run)
    for name, text in run.documents.items():
        lines = text.removesuffix("\n").split("\n")
        yield Document(name, lines, ids[name], numbers.count(len(lines), "line"))
