"""What a report needs of a run folder beside its record: tables, logs, figures, sizes of pictures."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any

from lorakit.execute.past_action import PastAction
from lorakit.execute.past_run import WholeRun
from lorakit.files import open_regular, parse_json, read_text
from lorakit.records import record

_MOST = 64 << 20
_PNG = b"\x89PNG\r\n\x1a\n"


@record
class RunFiles:
    """By action's id its table, its log's lines and its figures; `sizes` in px and `bytes` by path.

    What is not in `bytes` is not there.
    """

    tables: Mapping[str, str] = field(default_factory=dict)
    logs: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    figures: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    sizes: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    bytes: Mapping[str, int] = field(default_factory=dict)


def gather(run: WholeRun) -> RunFiles:
    """Read what a run wrote beside its pictures; a file that cannot be read is as good as none."""
    tables: dict[str, str] = {}
    logs: dict[str, Sequence[Mapping[str, Any]]] = {}
    figures: dict[str, Mapping[str, Any]] = {}
    sizes: dict[str, tuple[int, int]] = {}
    there: dict[str, int] = {}
    for action in run.actions:
        for paths in action.files.values():
            there.update(_there(run.folder, paths))
        _read(run.folder, action, tables, logs, figures)
        sheet = action.file("sheet")
        if sheet in there:
            sizes[sheet] = _size(run.folder / sheet)
    return RunFiles(tables, logs, figures, sizes, there)


def _there(folder: Path, paths: Sequence[str]) -> Iterator[tuple[str, int]]:
    for path in paths:
        try:
            yield path, (folder / path).stat().st_size
        except (OSError, ValueError):  # also a name that no file can have
            continue


def _read(
    folder: Path,
    action: PastAction,
    tables: dict[str, str],
    logs: dict[str, Sequence[Mapping[str, Any]]],
    figures: dict[str, Mapping[str, Any]],
) -> None:
    for path in (p for paths in action.files.values() for p in paths):
        name = path.rpartition("/")[2]
        if name not in ("table.md", "metrics.json", "metrics.jsonl"):
            continue
        try:
            text = read_text(folder / path, _MOST)
            if name == "table.md":
                tables[action.id] = text
            elif name == "metrics.jsonl":
                logs[action.id] = [one for line in text.splitlines() for one in _line(line)]
            elif isinstance(found := parse_json(text), dict):
                figures[action.id] = found
        except (OSError, ValueError):
            continue


def _line(line: str) -> Iterator[Mapping[str, Any]]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return  # half a line, of a run that was killed
    if isinstance(found, dict):
        yield found


def _size(path: Path) -> tuple[int, int]:
    """A PNG's width and height; zeros for any other file."""
    try:
        with open_regular(path) as file:
            head = file.read(24)
    except (OSError, ValueError):
        return 0, 0
    if len(head) < 24 or not head.startswith(_PNG):
        return 0, 0
    return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
