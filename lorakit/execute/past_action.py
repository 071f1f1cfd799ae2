"""One thing of a past run: what the record tells of it, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace
from pathlib import PurePosixPath
from typing import Any

from lorakit.execute.events import SUCCEEDED
from lorakit.execute.loose_values import mapping, mappings, number, text, texts
from lorakit.plan.states import State
from lorakit.records import record


@record
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
            prompt=text(told, "prompt"),
            negative_prompt=text(told, "negative_prompt"),
            seed=seed if isinstance(seed, int) else None,
            strength=number(told, "strength") if "strength" in told else None,
            steps=int(number(told, "steps")),
            effective_steps=int(number(told, "effective_steps")),
            guidance_scale=number(told, "guidance_scale") if "guidance_scale" in told else None,
            scheduler=text(told, "scheduler"),
            size=_size(told.get("size")),
            starts=tuple(map(str, starts)) if isinstance(starts, list) else (),
        )


@record
class PastAction:
    """One thing of a run. `state` and `reason` are the plan's, `outcome` and `seconds` what came of it.

    `files` are paths in the run folder by output, `outputs` the digests of what came. `frame` is what a
    frame was drawn with, `film_seconds` how long a film is and `size` how large, `rows` what a sheet shows:
    titles, and pictures as (action's id, caption). `worker` is who made it, where several could.
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
    key: str = ""
    worker: str = ""

    @property
    def held(self) -> bool:
        """Whether it was approved and left as it was, so that nothing of the run says how it was made."""
        return self.state == State.APPROVED.word and bool(self.outputs)

    @property
    def succeeded(self) -> bool:
        """Whether it left something: made then, or there already."""
        return self.outcome in SUCCEEDED

    def file(self, output: str) -> str:
        """Where an output stands in the run folder; empty for one that stands nowhere."""
        return next(iter(self.files.get(output, ())), "")


def planned_action(told: Mapping[str, Any]) -> PastAction:
    """An action as the record tells of it, or an older manifest, which lists its files in a row."""
    id_, files = text(told, "id"), told.get("files")
    step = text(told, "step") or id_.partition("/")[0]
    kind, film = text(told, "kind"), mapping(told, "film")
    if isinstance(files, list):
        files = {_OLD.get(kind, "file"): files}
    return PastAction(
        id=id_,
        step=step,
        kind=kind,
        group=text(told, "group"),
        label=text(told, "label"),
        state=text(told, "state"),
        reason=text(told, "reason"),
        place=_place(told.get("place")),
        files={
            str(name): tuple(p for p in paths if isinstance(p, str) and _inside(p))
            for name, paths in (files or {}).items()
            if isinstance(paths, list)
        }
        if isinstance(files, dict)
        else {},
        frame=PastFrame.of(mapping(told, "frame") or told),
        film_seconds=number(film, "frames") / (number(film, "fps") or 1),
        size=_size(film.get("size")),
        title=text(told, "title"),
        rows=tuple(_rows(told)),
    )


# of which output a manifest without a record tells
_OLD = {"frame": "picture", "film": "film", "contact-sheet": "sheet", "side-by-side": "sheet"}


def ended_action(
    action: PastAction, manifest: Mapping[str, Any], event: Mapping[str, Any], worker: str = ""
) -> PastAction:
    """The same with what came of it, by the run's manifest and by its log, and which `worker` made it."""
    return replace(
        action,
        outputs=texts(manifest, "outputs"),
        outcome=text(manifest, "outcome") or text(event, "outcome"),
        seconds=number(event, "seconds"),
        detail=text(event, "detail"),
        key=text(manifest, "key"),
        worker=worker,
    )


def _rows(told: Mapping[str, Any]) -> Iterator[tuple[str, Sequence[tuple[str, str]]]]:
    for row in mappings(told, "rows"):
        pictures = row.get("pictures")
        if isinstance(pictures, list):
            yield (
                text(row, "title"),
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
