"""What a sweep's `over` comes to: the values that each of its members has, given, combined or drawn."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from lorakit.language.recipe.member_names import in_a_name, shown
from lorakit.language.yaml import access
from lorakit.language.yaml.nodes import Node
from lorakit.records import record

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from lorakit.language.yaml.findings import Findings

_TRIES = 100  # draws for a member that is not there yet


@record
class Change:
    """One value of a member: where it goes, what it is called there, what it is, in names and shown."""

    path: Node
    label: str
    value: Node
    text: str
    shown: str


def listed(over: Node) -> list[tuple[Change, ...]]:
    """Members that are written out one by one."""
    assert isinstance(over.value, list)
    paths = [path for item in over.value if isinstance(item.value, dict) for path in item.value]
    labels = _labels(paths)
    rows = [
        tuple(
            _change((item.keys or {})[path], labels[path], value, number)
            for path, value in item.value.items()
        )
        for number, item in enumerate(over.value, 1)
        if isinstance(item.value, dict)
    ]
    apart = iter(_told_apart([change for row in rows for change in row]))
    return [tuple(next(apart) for _ in row) for row in rows]


def _change(path: Node, label: str, value: Node, number: int) -> Change:
    return Change(path, label, value, in_a_name(value, number), shown(value))


def _told_apart(changes: Sequence[Change]) -> list[Change]:
    """The same with other names for values that differ in what no name of a folder has: `a b` and `a, b`."""
    means: dict[tuple[str, str], str] = {}
    rows = []
    for change in changes:
        text, number = change.text, 1
        # some file systems take large letters for small ones
        while means.setdefault((change.label, text.casefold()), change.shown) != change.shown:
            number += 1
            text = f"{change.text}-{number}"
        rows.append(replace(change, text=text))
    return rows


Axis = list[Change]


def axes_of(over: Node, draws: int | None, findings: Findings) -> list[Axis]:
    """What each path may be; a range is an axis of its two ends."""
    assert isinstance(over.value, dict)
    labels = _labels(over.value)
    axes: list[Axis] = []
    for path, values in over.value.items():
        key = (over.keys or {})[path]
        if isinstance(values.value, list):
            changes = [_change(key, labels[path], v, n) for n, v in enumerate(values.value, 1)]
            axes.append(_told_apart(changes))
        elif isinstance(values.value, dict):
            axes.append([Change(key, labels[path], values, "", "")])
            if draws is None:
                findings.error(
                    "range-without-random",
                    f"{path} has a range, from which nothing is drawn without random",
                    values,
                    "write random: 8 beside over, or the values: [1e-5, 1e-4]",
                )
            else:
                _check_range(values, findings)
    return axes


def _check_range(node: Node, findings: Findings) -> None:
    low, high = access.number(node, "min"), access.number(node, "max")
    if low is None or high is None:
        return
    if low >= high:
        findings.error("out-of-range", "min must be below max", access.child(node, "min"))
    elif low <= 0 and access.text(node, "scale") == "log":
        hint = "write scale: linear, or a min such as 1e-6"
        message = "min must be above 0 where scale is log"
        findings.error("out-of-range", message, access.child(node, "min"), hint)


def drawn(
    over: Node, axes: list[Axis], draws: int, seed: int, findings: Findings
) -> list[tuple[Change, ...]]:
    """Draw so many different members; a larger number keeps those of a smaller one."""
    import random

    source = random.Random(seed)  # noqa: S311 - not for secrets
    rows: dict[tuple[str, ...], tuple[Change, ...]] = {}
    for _ in range(draws * _TRIES):
        row = tuple(_one_of(axis, source) for axis in axes)
        rows.setdefault(tuple(change.text for change in row), row)
        if len(rows) == draws:
            break
    else:
        message = f"random: {draws} is more than the {len(rows)} different members that over leaves"
        findings.error("out-of-range", message, over, "leave random out to make them all")
    return list(rows.values())


def _one_of(axis: Axis, source: random.Random) -> Change:
    share = source.random()
    first = axis[0]
    if not isinstance(first.value.value, dict) or first.text:
        return axis[min(int(share * len(axis)), len(axis) - 1)]
    node = first.value
    ends = access.child(node, "min"), access.child(node, "max")
    low, high = access.number(node, "min") or 0.0, access.number(node, "max") or 0.0
    if access.text(node, "scale") == "log":
        number: float = math.exp(math.log(low) + share * (math.log(high) - math.log(low)))
    else:
        number = low + share * (high - low)
    if all(end is not None and isinstance(end.value, int) for end in ends):
        number = min(int(high), round(number))
    else:
        number = min(high, max(low, float(f"{number:.3g}")))
    value = node.like(number)
    value.keys = None
    return replace(first, value=value, text=in_a_name(value, 0), shown=shown(value))


def _labels(paths: Sequence[str] | dict[str, Node]) -> dict[str, str]:
    """What each path is called: its last key, or as many as tell it from the others."""
    unique = list(dict.fromkeys(paths))
    labels = {}
    for path in unique:
        keys = path.split(".")
        for many in range(1, len(keys) + 1):
            label = ".".join(keys[-many:])
            if sum(f".{other}".endswith(f".{label}") for other in unique) == 1:
                break
        labels[path] = label
    return labels
