"""A run read back from its folder: what was planned, what came of it, and the figures it wrote.

Folders of runs that were killed, or made by an earlier lorakit, say less; what they do not say is left empty.
What they say is believed only as far as its form goes: a path that leaves the folder is dropped.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from io import BufferedReader
from pathlib import Path, PurePosixPath
from typing import Any

from lorakit.diagnostics import LorakitError
from lorakit.execute.events import EVENTS, SUCCEEDED, RunFinished, is_progress
from lorakit.execute.run_folder import MANIFEST
from lorakit.execute.run_record import NAME
from lorakit.execute.run_request import RunRequest
from lorakit.files import open_regular, parse_json, read_text
from lorakit.store.errors import why

_MOST = 256 << 20  # bytes of a file that is read whole
_MOST_LINE = 64 << 20  # bytes


@dataclass(frozen=True, slots=True)
class PastFrame:
    """What a frame was drawn with; None and empty where it is not known. `starts` are ids of frames."""

    prompt: str = ""
    negative_prompt: str = ""
    seed: int | None = None
    strength: float | None = None
    steps: int = 0
    effective_steps: int = 0
    guidance_scale: float | None = None
    scheduler: str = ""
    size: tuple[int, int] = (0, 0)
    starts: tuple[str, ...] = ()

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> PastFrame:
        """A frame as the record tells of it."""
        seed, starts = told.get("seed"), told.get("from")
        return cls(
            prompt=_text(told, "prompt"),
            negative_prompt=_text(told, "negative_prompt"),
            seed=seed if isinstance(seed, int) else None,
            strength=_number(told, "strength") if "strength" in told else None,
            steps=int(_number(told, "steps")),
            effective_steps=int(_number(told, "effective_steps")),
            guidance_scale=_number(told, "guidance_scale") if "guidance_scale" in told else None,
            scheduler=_text(told, "scheduler"),
            size=_size(told.get("size")),
            starts=tuple(map(str, starts)) if isinstance(starts, list) else (),
        )


@dataclass(frozen=True, slots=True)
class PastAction:
    """One thing of a run. `state` and `reason` are the plan's, `outcome` and `seconds` what came of it.

    `files` are paths in the run folder by output, `outputs` the digests of what came. `frame` is what a
    frame was drawn with, `film_seconds` how long a film is and `size` how large, `rows` what a sheet shows:
    titles, and pictures as (action's id, caption).
    """

    id: str
    step: str
    kind: str
    group: str = ""
    label: str = ""
    state: str = ""
    reason: str = ""
    place: tuple[str, int, int] | None = None
    files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    frame: PastFrame = PastFrame()
    film_seconds: float = 0.0
    size: tuple[int, int] = (0, 0)
    title: str = ""
    rows: Sequence[tuple[str, Sequence[tuple[str, str]]]] = ()
    outcome: str = ""
    seconds: float = 0.0
    detail: str = ""

    @property
    def succeeded(self) -> bool:
        """Whether it left something: made then, or there already."""
        return self.outcome in SUCCEEDED

    def file(self, output: str) -> str:
        """Where an output stands in the run folder; empty for one that stands nowhere."""
        return next(iter(self.files.get(output, ())), "")


@dataclass(frozen=True, slots=True)
class WholeRun:
    """A run that is over, or was killed: then `ending` is empty. Times are seconds, memory bytes.

    What was expected is 0 where it is not known, `measured` whether it came from earlier runs. `calls` counts
    the networks' forward passes.
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
    documents: Mapping[str, str] = field(default_factory=dict)
    request: RunRequest = field(default_factory=RunRequest)
    warnings: Sequence[Mapping[str, Any]] = ()
    notes: Sequence[str] = ()

    @property
    def name(self) -> str:
        """What the run is called: the number of its folder."""
        return self.folder.name

    @property
    def root(self) -> Path:
        """The folder of the documents, where the run stands in `outputs` of its project."""
        home = self.folder.resolve().joinpath("../../..").resolve()
        return home / self.request.root


def read(folder: Path, finished: RunFinished | None = None) -> WholeRun:
    """Read a run folder; `finished` is its last event where that is not written yet. Raises LorakitError."""
    record, manifest = _json(folder / NAME), _json(folder / MANIFEST)
    if record is None and manifest is None:
        raise LorakitError(
            f"{folder} is no run folder: neither {NAME} nor {MANIFEST} is in it; "
            "name one, as in outputs/quickstart/001"
        )
    told = record or manifest or {}
    ends, notes, last = _events(folder / EVENTS)
    last = finished.as_json() if finished is not None else last
    came = {_text(a, "id"): a for a in _list(manifest or {}, "actions")}
    estimate, calls = _mapping(told, "estimate"), _mapping(last, "calls")
    measured = estimate.get("measured")
    planned = [_action(one) for one in _list(told, "actions")]
    return WholeRun(
        folder=folder,
        recipe=_text(told, "recipe"),
        actions=tuple(_ended(a, came.get(a.id, {}), ends.get(a.id, {})) for a in planned),
        ending=_text(last, "ending") or _text(manifest or {}, "ending"),
        began=_text(told, "began"),
        machine=_text(told, "machine"),
        seconds=_number(last, "seconds") or _number(manifest or {}, "seconds"),
        environment=_texts(told, "environment"),
        expected_seconds=_number(estimate, "seconds") or _number(last, "estimated_seconds"),
        measured=measured if isinstance(measured, bool) else None,
        expected_memory=_number(last, "estimated_memory"),
        peak_memory=_number(last, "peak_memory"),
        calls={name: _number(calls, name) for name in calls},
        documents=_texts(told, "documents"),
        request=RunRequest.read(told.get("request")),
        warnings=tuple(_list(told, "warnings")),
        notes=tuple(notes),
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


def _events(path: Path) -> tuple[dict[str, Mapping[str, Any]], list[str], Mapping[str, Any]]:
    """How each action ended, what was noted, and how the run ended, as far as the log goes."""
    ends: dict[str, Mapping[str, Any]] = {}
    notes: list[str] = []
    last: Mapping[str, Any] = {}
    try:
        with open_regular(path) as file:
            for event in _lines(file):
                match event.get("type"):
                    case "action-finished":
                        ends[_text(event, "action")] = event
                    case "note":
                        notes.append(_text(event, "text"))
                    case "run-finished":
                        last = event
    except OSError:
        pass  # the manifest says most of it
    return ends, notes, last


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


def _action(told: Mapping[str, Any]) -> PastAction:
    """An action as the record tells of it, or an older manifest, which lists its files in a row."""
    id_, files = _text(told, "id"), told.get("files")
    step = _text(told, "step") or id_.partition("/")[0]
    kind, film = _text(told, "kind"), _mapping(told, "film")
    if isinstance(files, list):
        files = {_OLD.get(kind, "file"): files}
    return PastAction(
        id=id_,
        step=step,
        kind=kind,
        group=_text(told, "group"),
        label=_text(told, "label"),
        state=_text(told, "state"),
        reason=_text(told, "reason"),
        place=_place(told.get("place")),
        files={
            str(name): tuple(p for p in paths if isinstance(p, str) and _inside(p))
            for name, paths in (files or {}).items()
            if isinstance(paths, list)
        }
        if isinstance(files, dict)
        else {},
        frame=PastFrame.of(_mapping(told, "frame") or told),
        film_seconds=_number(film, "frames") / (_number(film, "fps") or 1),
        size=_size(film.get("size")),
        title=_text(told, "title"),
        rows=tuple(_rows(told)),
    )


# of which output a manifest without a record tells
_OLD = {"frame": "picture", "film": "film", "contact-sheet": "sheet", "side-by-side": "sheet"}


def _ended(action: PastAction, manifest: Mapping[str, Any], event: Mapping[str, Any]) -> PastAction:
    return replace(
        action,
        outputs=_texts(manifest, "outputs"),
        outcome=_text(manifest, "outcome") or _text(event, "outcome"),
        seconds=_number(event, "seconds"),
        detail=_text(event, "detail"),
    )


def _rows(told: Mapping[str, Any]) -> Iterator[tuple[str, Sequence[tuple[str, str]]]]:
    for row in _list(told, "rows"):
        pictures = row.get("pictures")
        if isinstance(pictures, list):
            yield (
                _text(row, "title"),
                tuple(
                    (str(one[0]), str(one[1]))
                    for one in pictures
                    if isinstance(one, list) and len(one) == 2
                ),
            )


def _place(told: Any) -> tuple[str, int, int] | None:
    match told:
        case [str(file), int(line), int(column)]:
            return file, line, column
    return None


def _size(told: Any) -> tuple[int, int]:
    match told:
        case [int(width), int(height)] if width > 0 and height > 0:
            return width, height
    return 0, 0


def _inside(path: str) -> bool:
    """Whether a path of a record stays in the run folder."""
    return bool(path) and not PurePosixPath(path).is_absolute() and ".." not in path.split("/")


def _text(told: Mapping[str, Any], key: str) -> str:
    value = told.get(key)
    return value if isinstance(value, str) else ""


def _number(told: Mapping[str, Any], key: str) -> float:
    value = told.get(key)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return 0.0
    try:
        found = float(value)
    except OverflowError:
        return 0.0
    return found if math.isfinite(found) else 0.0


def _mapping(told: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = told.get(key)
    return value if isinstance(value, dict) else {}


def _texts(told: Mapping[str, Any], key: str) -> Mapping[str, str]:
    return {k: v for k, v in _mapping(told, key).items() if isinstance(v, str)}


def _list(told: Mapping[str, Any], key: str) -> Sequence[Mapping[str, Any]]:
    value = told.get(key)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
