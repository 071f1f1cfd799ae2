"""What a sweep came to: a table of its members, and which of them is best."""

from __future__ import annotations

import json
import shutil
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lorakit.diagnostics import LorakitError
from lorakit.plan.tasks.figures import SweepBestTask, SweepMember, SweepTableTask
from lorakit.plan.tasks.json_form import to_json
from lorakit.records import record
from lorakit.rendering.comparison import FIGURES, aligned, with_share
from lorakit.store import atomic

_FAILED = "failed"


@record
class Result:
    """One member with its figures; None where it failed. `like` is the same for all its seeds."""

    name: str
    like: str
    values: Mapping[str, str]
    figures: Mapping[str, Any] | None

    def number(self, metric: str) -> float | None:
        """One figure, if the member has it as a number."""
        value = (self.figures or {}).get(metric)
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def results(members: Sequence[SweepMember], inputs: Mapping[str, str]) -> list[Result]:
    """The members with what is found of their figures."""
    rows = []
    for member in members:
        path = inputs.get(member.metrics)
        figures = with_share(json.loads(Path(path).read_bytes())) if path else None
        rows.append(Result(member.name, member.like, member.values, figures))
    return rows


def best_of(rows: Sequence[Result], metric: str, mode: str) -> Result | None:
    """The best seed of the values whose seeds are best on average; of equals the first.

    A single lucky seed so makes nothing the best. None where no member has the figure.
    """
    sign = 1 if mode == "max" else -1
    groups: dict[str, list[Result]] = {}
    for row in rows:
        if row.number(metric) is not None:
            groups.setdefault(row.like, []).append(row)
    if not groups:
        return None

    def worth(row: Result) -> float:
        return sign * (row.number(metric) or 0.0)

    like = max(groups, key=lambda name: statistics.fmean(map(worth, groups[name])))
    return max(groups[like], key=worth)


def table(members: Sequence[Result], best: Result | None, metric: str = "") -> str:
    """The members in Markdown: their values, their figures, and the mean where they differ in seed alone.

    `metric`, by which the best is found, is shown whatever it is.
    """
    axes = list(dict.fromkeys(label for member in members for label in member.values))
    shown = [row for row in FIGURES if any(member.number(row[0]) is not None for member in members)]
    if metric and metric not in [key for key, *_ in shown]:
        shown.insert(
            0, (metric, metric.replace("_", " "), "{:.4g}".format, lambda _, b: f"{b:.4g}")
        )
    rows = [["", *axes, *(title for _, title, *_ in shown)]]
    for like, group in _groups(members):
        for member in group:
            cells = [_FAILED if member.figures is None else "best" if member is best else ""]
            cells += [member.values.get(label, "") for label in axes]
            numbers = [(say, member.number(key)) for key, _, say, _ in shown]
            rows.append([*cells, *("" if n is None else say(n) for say, n in numbers)])
        whole = [member for member in group if member.figures is not None]
        if len(whole) > 1:
            rows.append(_mean(like, whole, axes, shown))
    return aligned(rows)


def _groups(members: Iterable[Result]) -> Iterator[tuple[str, list[Result]]]:
    groups: dict[str, list[Result]] = {}
    for member in members:
        groups.setdefault(member.like, []).append(member)
    yield from groups.items()


def _mean(
    like: str, group: Sequence[Result], axes: Sequence[str], shown: Sequence[Any]
) -> list[str]:
    values = group[0].values if like else {}
    cells = ["mean", *("" if a == "seed" else values.get(a, "") for a in axes)]
    for key, _, say, _ in shown:
        numbers = [n for member in group if (n := member.number(key)) is not None]
        exact = all(isinstance(n, int) for n in numbers) and len(set(numbers)) == 1
        mean = numbers[0] if exact else statistics.fmean(numbers) if numbers else None
        cells.append("" if mean is None else say(mean))
    return cells


def write_sweep(folder: Path, task: SweepTableTask, inputs: Mapping[str, str]) -> dict[str, str]:
    """Write `table.md` and `metrics.json` of the members whose figures are among the inputs."""
    rows = results(task.members, inputs)
    choice = task.best
    best = best_of(rows, choice.metric, choice.mode) if choice else None
    whole = {
        "best": best.name if best else None,
        "by": to_json(choice),
        "members": [
            {"name": row.name, "values": dict(row.values), "figures": row.figures} for row in rows
        ],
    }
    atomic.write_bytes(
        folder / "table.md", table(rows, best, choice.metric if choice else "").encode()
    )
    atomic.write_json(folder / "metrics.json", whole)
    return {"table": str(folder / "table.md"), "metrics": str(folder / "metrics.json")}


def write_best(folder: Path, task: SweepBestTask, inputs: Mapping[str, str]) -> dict[str, str]:
    """Copy the best member's files. Raises LorakitError where no member has the figure."""
    rows = results(task.members, inputs)
    metric = task.best.metric
    best = best_of(rows, metric, task.best.mode)
    if best is None:
        raise LorakitError(f"no member of the sweep came to a figure called {metric}")
    member = next(m for m in task.members if m.name == best.name)
    outputs = {}
    files = member.files or {}
    for output, name in task.files.items():
        shutil.copyfile(inputs[files[output]], folder / name)
        outputs[output] = str(folder / name)
    return outputs
