"""What a run folder says of its run from the first moment: the plan in short, and the documents as they were.

`record.json` is written before anything is made. `events.jsonl` and `manifest.json` say what came of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from lorakit.diagnostics import as_json
from lorakit.execute.run_request import RunRequest
from lorakit.language.recipe.project import Project
from lorakit.language.story import rates
from lorakit.plan.actions import Action
from lorakit.plan.states import Plan, Planned
from lorakit.plan.tasks.film import FilmTask
from lorakit.plan.tasks.finished_film import FilmShape, FinishedFilmTask, SignedFilmTask
from lorakit.plan.tasks.frame import FrameTask
from lorakit.plan.tasks.sheet import ContactSheetTask
from lorakit.plan.tasks.side_by_side import SideBySideTask

NAME = "record.json"
VERSION = 1


def documents_of(project: Project) -> dict[str, str]:
    """The texts that a run is made from, by their names: recipes, storyboards, the words of `--set`."""
    return {name: "\n".join(lines) for name, lines in project.lines.items()}


def run_record(plan: Plan, documents: Mapping[str, str], request: RunRequest) -> dict[str, object]:
    """A plan, its documents and its call as JSON data. Times are seconds, sizes px, memory bytes."""
    estimate = plan.estimate
    return {
        "lorakit": VERSION,
        "recipe": plan.recipe,
        "began": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": plan.machine,
        "environment": dict(plan.environment),
        "estimate": {
            "seconds": round(estimate.seconds, 1),
            "memory": estimate.memory,
            "disk": estimate.disk,
            "measured": estimate.measured,
        },
        "warnings": [{**as_json(warning), "excerpt": warning.excerpt} for warning in plan.warnings],
        "notes": {step: list(notes) for step, notes in plan.notes.items()},
        "documents": dict(documents),
        "request": request.as_json(),
        "actions": [_action(planned) for planned in plan.actions],
    }


def _action(planned: Planned) -> dict[str, object]:
    action, place = planned.action, planned.action.place
    told: dict[str, object] = {
        "id": action.id,
        "step": action.step,
        "group": action.group,
        "kind": action.kind,
        "label": action.label,
        "state": planned.state.word,
        "reason": planned.reason,
        "place": [place.file, place.line, place.column] if place else None,
        "files": {name: list(files) for name, files in action.files.items()},
    }
    if isinstance(action.task, FrameTask):
        told["frame"] = _frame(action, action.task)
    film = _film(action)
    if film is not None:
        told["film"] = film
    rows = list(_rows(action))
    if rows:
        told["title"] = _heading(action)
        told["rows"] = rows
    return told


def _film(action: Action) -> dict[str, object] | None:
    """How long a film is, and how large; None of what is none."""
    task = action.task
    if isinstance(task, FilmTask):
        shape = FilmShape(task.fps, action.units, task.height, task.width)
    elif isinstance(task, FinishedFilmTask | SignedFilmTask):
        shape = task.shape
    else:
        return None
    size = [shape.width or 0, shape.height]
    return {"fps": rates.of(shape.fps).number, "frames": shape.frames, "size": size}


def _frame(action: Action, task: FrameTask) -> dict[str, object]:
    return {
        "prompt": task.prompt,
        "negative_prompt": task.negative_prompt,
        "seed": task.seed,
        "strength": task.strength,
        "steps": task.num_inference_steps,
        "effective_steps": task.effective_steps,
        "guidance_scale": task.guidance_scale,
        "scheduler": task.scheduler,
        "size": [task.width, task.height],
        "from": [i.action for i in action.inputs if i.output == "latents"],
    }


def _heading(action: Action) -> str:
    task = action.task
    return task.heading if isinstance(task, ContactSheetTask | SideBySideTask) else ""


def _rows(action: Action) -> Iterator[dict[str, object]]:
    """What a sheet shows: rows with a title, of pictures (an action's id) with a caption."""
    ids = {i.role: i.action for i in action.inputs}
    task = action.task
    if isinstance(task, ContactSheetTask):
        for group in task.groups:
            yield _row(group.title, [(ids[p.picture], p.caption) for p in group.pictures])
    elif isinstance(task, SideBySideTask):
        for title, roles in zip(task.of, task.pictures, strict=True):
            captions = [*task.captions, *[""] * len(roles)]
            yield _row(title, [(ids[r], c) for r, c in zip(roles, captions, strict=False)])


def _row(title: str, pictures: Sequence[tuple[str, str]]) -> dict[str, object]:
    return {"title": title, "pictures": [list(one) for one in pictures]}
