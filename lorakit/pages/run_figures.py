"""The figures of a run as parts of a page: training curves, what a classifier named right, tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lorakit.pages.parts import Curve, Fact, FactList, PageTable, Series
from lorakit.plan import numbers

# a running mean over this share of a training's steps
_SHARE = 12
_FEW = 12  # steps of a training below which the curve is the losses alone


def training(
    title: str, log: Sequence[Mapping[str, Any]], figures: Mapping[str, Any]
) -> Iterator[Curve | FactList]:
    """The loss over the optimizer steps of a training, what was measured along the way, what it came to."""
    losses = _points(log, "loss")
    held = [(n, key) for n, key in _HELD_OUT if any(key in line for line in log)]
    facts = _facts(figures)
    if not losses:
        yield from [FactList(facts)] if facts else []
        return
    series = [Series("each step", losses, "faint"), Series("running mean", _mean(losses))]
    if len(losses) < _FEW:
        series = [Series("loss", losses)]
    series += [Series(name, _points(log, key), "dots") for name, key in held]
    yield Curve(title, series, "optimizer steps", "loss", facts)


_HELD_OUT = (("held out", "held_out_loss"), ("at fixed noise", "fixed_loss"))


def _points(log: Sequence[Mapping[str, Any]], key: str) -> list[tuple[float, float]]:
    return [
        (float(line["step"]), float(line[key]))
        for line in log
        if _is_number(line.get("step")) and _is_number(line.get(key))
    ]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def _mean(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    weight = min(1.0, max(0.05, 2 / (len(points) / _SHARE + 1)))
    found: list[tuple[float, float]] = []
    for x, y in points:
        found.append((x, y if not found else found[-1][1] + weight * (y - found[-1][1])))
    return found


def _facts(figures: Mapping[str, Any]) -> list[Fact]:
    """What a training came to, in a few lines."""
    items = []
    for name, key, say in _FACTS:
        value = figures.get(key)
        if _is_number(value):
            items.append(Fact(name, say(float(value or 0))))
    return items


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def _whole(value: float) -> str:
    return f"{value:,.0f}"


_FACTS = (
    ("Held-out accuracy", "accuracy", _percent),
    ("Held-out macro F1", "macro_f1", _percent),
    ("Held-out loss", "held_out_loss", "{:.4f}".format),
    ("Loss at fixed noise", "fixed_loss", "{:.4f}".format),
    ("Optimizer steps", "steps", _whole),
    ("Training", "training_seconds", numbers.duration),
    ("Trained parameters", "trainable_parameters", _whole),
    ("Saved weights", "saved_bytes", numbers.size),
    ("Memory at the peak", "peak_memory", numbers.size),
)


def classification(title: str, figures: Mapping[str, Any]) -> PageTable | None:
    """What a classifier said of each label's texts; a row is the truth, a column what was said."""
    matrix, labels = figures.get("confusion_matrix"), figures.get("labels")
    if not isinstance(matrix, list) or not isinstance(labels, list) or len(matrix) != len(labels):
        return None
    rows: list[list[str]] = []
    for label, row in zip(labels, matrix, strict=True):
        if not (isinstance(row, list) and len(row) == len(labels) and all(map(_is_number, row))):
            return None
        right, whole = row[len(rows)], sum(row)
        rows.append(
            [str(label), *(f"{n:,}" for n in row), f"{100 * right / whole:.1f} %" if whole else ""]
        )
    return PageTable(
        title,
        ["in truth", *(f"said {label}" for label in labels), "named right"],
        rows,
        numeric=frozenset(range(1, len(labels) + 2)),
    )


def table(title: str, text: str) -> PageTable | None:
    """A table of ours in Markdown as a table of a page; None for any other text."""
    rows = [_cells(line) for line in text.splitlines() if line.startswith("|")]
    if len(rows) < 2 or any(len(row) != len(rows[0]) for row in rows):
        return None
    head, rule, *body = rows
    numeric = frozenset(n for n, cell in enumerate(rule) if cell.endswith(":"))
    strong = frozenset(n for n, row in enumerate(body) if row[0] in ("best", "mean"))
    return PageTable(title, head, body, numeric, strong)


def _cells(line: str) -> list[str]:
    parts = line.strip().removeprefix("|").removesuffix("|").replace("\\|", "\0").split("|")
    return [part.strip().replace("\0", "|") for part in parts]
