"""The engine of the worker that assembles: films and contact sheets from pictures in the store."""

from __future__ import annotations

import time
import traceback
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lorakit.diagnostics import LorakitError, in_words
from lorakit.rendering.comparison import write_comparison
from lorakit.rendering.contact_sheet import SheetGroup, write_contact_sheet
from lorakit.rendering.film import CaptionStyle, Shot, write_film
from lorakit.rendering.picture_figures import write_figures
from lorakit.rendering.side_by_side import Table, write_side_by_side
from lorakit.rendering.sweep_table import write_best, write_sweep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Job = Mapping[str, Any]
    Report = Callable[[str, int, int], None]  # job id, units done, units in all

_SLICE = 0.15  # seconds of work between two looks at the pipe


class AssemblyEngine:
    """Does jobs one after the other, a slice of work at a call, so that its worker stays reachable.

    A job is JSON: `{"id", "kind", "params", "inputs": {role: path}, "out"}`, its kind being one of the two
    tables below. `report` is told of progress at most once a slice. `spec` is empty: nothing
    is loaded.
    """

    def __init__(self, spec: Mapping[str, object], report: Report) -> None:
        self.spec = spec
        self._report = report
        self._waiting: deque[Job] = deque()
        self._current: tuple[Job, Path, Iterator[tuple[int, int]]] | None = None

    @property
    def busy(self) -> bool:
        """Whether there is work left."""
        return bool(self._current or self._waiting)

    def submit(self, job: Job) -> None:
        """Put a job at the end of the queue."""
        self._waiting.append(job)

    def step(self) -> list[Mapping[str, object]]:
        """Work for about 0.15 s and return what has ended by it.

        Each is `{"id", "outputs": {name: path}}` or, where the job failed, `{"id", "error"}`.
        """
        ended: list[Mapping[str, object]] = []
        until = time.monotonic() + _SLICE
        while self.busy and time.monotonic() < until:
            job = self._current[0] if self._current else self._waiting.popleft()
            try:
                outputs = self._work(job, until)
            except (LorakitError, OSError) as error:
                self._current = None
                ended.append({"id": job["id"], "error": str(error)})
            except Exception as error:  # noqa: BLE001 - one odd job is no fault of the others
                self._current = None
                traceback.print_exc()
                ended.append({"id": job["id"], "error": in_words(error)})
            else:
                if outputs is not None:
                    ended.append({"id": job["id"], "outputs": outputs})
        return ended

    def close(self) -> None:
        """Give up what is under way, leaving no half-made file and no ffmpeg behind."""
        self._waiting.clear()
        if self._current:
            closing, self._current = self._current[2], None
            closing.close()  # type: ignore[attr-defined]  # our iterators are generators

    def _work(self, job: Job, until: float) -> Mapping[str, str] | None:
        if job["kind"] in _AT_ONCE:
            return _AT_ONCE[job["kind"]](_folder(job), job["params"], job["inputs"])
        if self._current is None:
            self._current = (job, *_begin(job))
        _, target, making = self._current
        progress: tuple[int, int] | None = None
        for progress in making:
            if time.monotonic() >= until:
                self._report(job["id"], *progress)
                return None
        if progress:
            self._report(job["id"], *progress)
        self._current = None
        return {_OUTPUTS[job["kind"]]: str(target)}


# what takes a moment -> its outputs, each with its path
_AT_ONCE: Mapping[str, Callable[[Path, Job, Mapping[str, str]], Mapping[str, str]]] = {
    "compare": lambda out, params, inputs: write_comparison(out, params["of"], inputs),
    "picture-figures": lambda out, params, inputs: write_figures(out, params["rows"], inputs),
    "sweep-table": write_sweep,
    "sweep-best": write_best,
}
_OUTPUTS = {"film": "film", "contact-sheet": "sheet", "side-by-side": "sheet"}


def _folder(job: Job) -> Path:
    out = Path(job["out"])
    out.mkdir(parents=True, exist_ok=True)
    return out


def _begin(job: Job) -> tuple[Path, Iterator[tuple[int, int]]]:
    out = _folder(job)
    params, inputs = job["params"], job["inputs"]
    if job["kind"] == "film":
        return out / "film.mp4", _film(out / "film.mp4", params, inputs)
    if job["kind"] == "contact-sheet":
        return out / "contact_sheet.png", _sheet(out / "contact_sheet.png", params, inputs)
    if job["kind"] == "side-by-side":
        return out / "side_by_side.png", _side_by_side(out / "side_by_side.png", params, inputs)
    raise LorakitError(f"the assembling worker knows no {job['kind']!r}")


def _film(target: Path, params: Job, inputs: Mapping[str, str]) -> Iterator[tuple[int, int]]:
    captions = params["captions"]
    return write_film(
        target,
        [Shot(Path(inputs[s["picture"]]), s["frames"], s["caption"]) for s in params["shots"]],
        fps=params["fps"],
        height=params["height"],
        transition_frames=params["transition_frames"],
        captions=CaptionStyle(captions["position"], captions["size"]) if captions else None,
    )


def _sheet(target: Path, params: Job, inputs: Mapping[str, str]) -> Iterator[tuple[int, int]]:
    # where a member of a sweep failed, its picture has not come
    groups = [
        SheetGroup(
            g["title"],
            [
                (Path(inputs[p["picture"]]), p["caption"])
                for p in g["pictures"]
                if p["picture"] in inputs
            ],
        )
        for g in params["groups"]
    ]
    return write_contact_sheet(target, groups, params["title"])


def _side_by_side(
    target: Path, params: Job, inputs: Mapping[str, str]
) -> Iterator[tuple[int, int]]:
    captions = params["captions"]
    series = [
        [Path(inputs[role]) if role in inputs else None for role in roles]
        + [None] * (len(captions) - len(roles))
        for roles in params["pictures"]
    ]
    if params.get("down"):
        table = Table(params["title"], captions, list(zip(params["of"], series, strict=True)))
    else:
        rows = list(zip(captions, zip(*series, strict=True), strict=True))
        table = Table(params["title"], params["of"], rows)
    return write_side_by_side(target, table)
