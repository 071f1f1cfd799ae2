"""A table of several trainings' figures: Markdown for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.cells import cell_len

from lorakit.plan.tasks.figures import CompareTask
from lorakit.store import atomic

Value = float | int

_LONGEST_CELL = 80  # letters


def _percent(value: Value) -> str:
    return f"{100 * value:.2f} %"


def _points(value: Value) -> str:
    return f"{100 * value:+.2f} points"


def _times(first: Value, value: Value) -> str:
    return f"{value / first:.3g}x" if first else ""


def _bytes(value: Value) -> str:
    return f"{value / 1e6:,.2f} MB"


# figure -> its name, how it is said, how its difference from the first is
FIGURES: Sequence[tuple[str, str, Callable[[Value], str], Callable[[Value, Value], str]]] = (
    ("accuracy", "accuracy, held out", _percent, lambda a, b: _points(b - a)),
    ("macro_f1", "macro F1, held out", _percent, lambda a, b: _points(b - a)),
    ("held_out_loss", "loss, held out", "{:.4f}".format, lambda a, b: f"{b - a:+.4f}"),
    ("fixed_loss", "loss at fixed noise", "{:.4f}".format, lambda a, b: f"{b - a:+.4f}"),
    ("pictures", "pictures", "{:,}".format, lambda a, b: f"{b - a:+,}" if a != b else "same"),
    ("change_from_previous", "change from frame to frame", _percent, lambda a, b: _points(b - a)),
    ("change_from_first", "change from a scene's first", _percent, lambda a, b: _points(b - a)),
    ("steps", "optimizer steps", "{:,}".format, lambda a, b: f"{b - a:+,}" if a != b else "same"),
    ("steps_per_second", "steps a second", "{:.2f}".format, _times),
    ("training_seconds", "training, s", "{:,.1f}".format, _times),
    ("wall_seconds", "wall time, s", "{:,.1f}".format, _times),
    ("trainable_parameters", "trained parameters", "{:,}".format, _times),
    ("total_parameters", "all parameters", "{:,}".format, _times),
    ("trained_share", "share trained", _percent, _times),
    ("saved_bytes", "saved weights", _bytes, _times),
    ("peak_memory", "peak memory", _bytes, _times),
)


def compare(runs: Sequence[tuple[str, Mapping[str, Any]]]) -> dict[str, Any]:
    """All figures side by side, and the differences of all others from the first."""
    figures = {name: with_share(metrics) for name, metrics in runs}
    first = runs[0][0]
    rows = [key for key, *_ in FIGURES if any(key in metrics for metrics in figures.values())]
    return {
        "of": list(figures),
        "against": first,
        "figures": {
            key: {name: metrics.get(key) for name, metrics in figures.items()} for key in rows
        },
        "differences": {
            key: {
                name: metrics[key] - figures[first][key]
                for name, metrics in figures.items()
                if name != first and key in metrics and key in figures[first]
            }
            for key in rows
        },
        "runs": figures,
    }


def with_share(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """A run's figures, and which share of the parameters it trained."""
    share = {}
    if metrics.get("total_parameters"):
        share = {"trained_share": metrics["trainable_parameters"] / metrics["total_parameters"]}
    return {**metrics, **share}


def table(compared: Mapping[str, Any]) -> str:
    """The comparison in Markdown, its columns aligned for a terminal too."""
    names, first = compared["of"], compared["against"]
    others = [name for name in names if name != first]
    head = ["", *names, *(f"{name} against {first}" for name in others)]
    rows = [head]
    for key, title, say, differ in FIGURES:
        values = compared["figures"].get(key)
        if values is None:
            continue
        row = [title, *("" if values[n] is None else say(values[n]) for n in names)]
        for name in others:
            both = values[first] is not None and values[name] is not None
            row.append(differ(values[first], values[name]) if both else "")
        rows.append(row)
    return aligned(rows)


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, its first row the heading, whose columns line up in a terminal too."""
    shown = [[_cell(text) for text in row] for row in rows]
    widths = [max(3, *(cell_len(row[column]) for row in shown)) for column in range(len(rows[0]))]

    def line(row: Sequence[str]) -> str:
        blanks = [" " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True)]
        cells = [row[0] + blanks[0]]
        cells += [blank + cell for cell, blank in zip(row[1:], blanks[1:], strict=True)]
        return f"| {' | '.join(cells)} |"

    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    lines = [line(shown[0]), f"| {' | '.join(rule)} |", *map(line, shown[1:])]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    """A text as a cell: in one line, not too long, and without bars, which would end it."""
    line = " ".join(text.split())
    line = line if len(line) <= _LONGEST_CELL else f"{line[:_LONGEST_CELL].rstrip()}…"
    return line.replace("|", "\\|")


def write_comparison(folder: Path, task: CompareTask, inputs: Mapping[str, str]) -> dict[str, str]:
    """Write `table.md` and `metrics.json` from the figures that the inputs hold."""
    runs = [
        (member.name, json.loads(Path(inputs[member.metrics]).read_bytes())) for member in task.of
    ]
    compared = compare(runs)
    atomic.write_bytes(folder / "table.md", table(compared).encode())
    atomic.write_json(folder / "metrics.json", compared)
    return {"table": str(folder / "table.md"), "metrics": str(folder / "metrics.json")}
