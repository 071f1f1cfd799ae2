"""A run read back from its folder: what was planned, what came of it, and the figures it wrote.

Folders of runs that were killed, or made by an earlier lorakit, say less; what they do not say is left empty.
What they say is believed only as far as its form goes: a path that leaves the folder is dropped.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from io import BufferedReader
from pathlib import Path
from typing import Any, NamedTuple

from lorakit.diagnostics import LorakitError
from lorakit.execute.events import EVENTS, RunFinished, is_progress
from lorakit.execute.loose_values import mapping, mappings, number, text, texts
from lorakit.execute.past_action import PastAction, ended_action, planned_action
from lorakit.execute.run_folder import MANIFEST
from lorakit.execute.run_record import NAME
from lorakit.execute.run_request import RunRequest
from lorakit.files import open_regular, parse_json, read_text
from lorakit.records import record
from lorakit.store.errors import why
from lorakit.store.manifests import is_digest

_MOST = 256 << 20  # bytes of a file that is read whole
_MOST_LINE = 64 << 20  # bytes


@record
class WholeRun:
    """A run that is over, or was killed: then `ending` is empty. Times are seconds, memory bytes.

    What was expected is 0 where it is not known, `measured` whether it came from earlier runs. `calls` counts
    the networks' forward passes, `workers` what each made, where there were several of a kind.
    """

    folder: Path
    recipe: str
    actions: tuple[PastAction, ...]
    ending: str = ""
    began: str = ""
    machine: str = ""
    seconds: float = 0.0
    environment: Mapping[str, str] = field(default_factory=dict)
    expected_seconds: float = 0.0
    measured: bool | None = None
    expected_memory: float = 0.0
    peak_memory: float = 0.0
    calls: Mapping[str, float] = field(default_factory=dict)
    workers: Mapping[str, float] = field(default_factory=dict)
    documents: Mapping[str, str] = field(default_factory=dict)
    request: RunRequest = field(default_factory=RunRequest)
    warnings: Sequence[Mapping[str, Any]] = ()
    notes: Sequence[str] = ()

    @property
    def name(self) -> str:
        """What the run is called: the number of its folder."""
        return self.folder.name

    @property
    def home(self) -> Path:
        """The folder that has the store, where the run stands in `outputs` of its project."""
        return self.folder.resolve().joinpath("../../..").resolve()

    @property
    def root(self) -> Path:
        """The folder of the documents."""
        return self.home / self.request.root

    @property
    def held(self) -> tuple[str, ...]:
        """The keys of results that were approved, and left as they were."""
        return tuple(action.key for action in self.actions if action.held and is_digest(action.key))


def read(folder: Path, finished: RunFinished | None = None) -> WholeRun:
    """Read a run folder; `finished` is its last event where that is not written yet. Raises LorakitError."""
    record, manifest = _json(folder / NAME), _json(folder / MANIFEST)
    if record is None and manifest is None:
        raise LorakitError(
            f"{folder} is no run folder: neither {NAME} nor {MANIFEST} is in it; "
            "name one, as in outputs/quickstart/001"
        )
    told = record or manifest or {}
    log = _events(folder / EVENTS)
    last = log.last
    last = finished.as_json() if finished is not None else last
    came = {text(a, "id"): a for a in mappings(manifest or {}, "actions")}
    estimate, calls = mapping(told, "estimate"), mapping(last, "calls")
    workers = mapping(last, "workers")
    begun = log.begun if workers else {}
    measured = estimate.get("measured")
    planned = [planned_action(one) for one in mappings(told, "actions")]
    return WholeRun(
        folder=folder,
        recipe=text(told, "recipe"),
        actions=tuple(
            ended_action(a, came.get(a.id, {}), log.ends.get(a.id, {}), begun.get(a.id, ""))
            for a in planned
        ),
        ending=text(last, "ending") or text(manifest or {}, "ending"),
        began=text(told, "began"),
        machine=text(told, "machine"),
        seconds=number(last, "seconds") or number(manifest or {}, "seconds"),
        environment=texts(told, "environment"),
        expected_seconds=number(estimate, "seconds") or number(last, "estimated_seconds"),
        measured=measured if isinstance(measured, bool) else None,
        expected_memory=number(last, "estimated_memory"),
        peak_memory=number(last, "peak_memory"),
        calls={name: number(calls, name) for name in calls},
        workers={name: number(workers, name) for name in workers},
        documents=texts(told, "documents"),
        request=RunRequest.read(told.get("request")),
        warnings=tuple(mappings(told, "warnings")),
        notes=tuple(log.notes),
    )


def _json(path: Path) -> Mapping[str, Any] | None:
    """A file's mapping; None where the file is not there."""
    try:
        found = parse_json(read_text(path, _MOST))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LorakitError(f"{path} cannot be read: {why(error)}") from error
    except ValueError as error:  # of bytes that are no UTF-8 too
        raise LorakitError(f"{path} is damaged: {error}") from error
    if not isinstance(found, dict):
        raise LorakitError(f"{path} is damaged: it is no mapping")
    return found


class _Log(NamedTuple):
    """How each action ended, and with whom it began last; what was noted, and how the run ended."""

    ends: dict[str, Mapping[str, Any]]
    begun: dict[str, str]
    notes: list[str]
    last: Mapping[str, Any]


def _events(path: Path) -> _Log:
    """A run's log, as far as it goes."""
    ends: dict[str, Mapping[str, Any]] = {}
    begun: dict[str, str] = {}
    notes: list[str] = []
    last: Mapping[str, Any] = {}
    try:
        with open_regular(path) as file:
            for event in _lines(file):
                match event.get("type"):
                    case "action-finished":
                        ends[text(event, "action")] = event
                    case "action-started":
                        begun[text(event, "action")] = text(event, "worker")
                    case "note":
                        notes.append(text(event, "text"))
                    case "run-finished":
                        last = event
    except OSError:
        pass  # the manifest says most of it
    return _Log(ends, begun, notes, last)


def _lines(file: BufferedReader) -> Iterator[Mapping[str, Any]]:
    while line := file.readline(_MOST_LINE):
        if is_progress(line):
            continue
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            continue  # a run that was killed may leave half a line
        if isinstance(event, dict):
            yield event
