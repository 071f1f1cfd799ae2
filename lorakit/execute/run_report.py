"""What a run folder says of its run once it is over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from lorakit.execute.estimates import Estimates
from lorakit.execute.events import Ending, RunFinished
from lorakit.execute.task_graph import TaskGraph
from lorakit.plan.states import Plan, State
from lorakit.plan.tasks.film import FilmTask
from lorakit.plan.tasks.finished_film import SignedFilmTask


def shown(graph: TaskGraph, output: str, step: str = "") -> str:
    """Where the last film, sheet or table stands in the run folder; of one step if it has one.

    Of a step that writes its film in several formats it is the first of them.
    """
    files: dict[str, str] = {}
    for of, file in _files(graph, output):
        if output == "film":
            files.setdefault(of, file)
        else:
            files[of] = file
    return files.get(step) or next(reversed(files.values()), "")


def _files(graph: TaskGraph, output: str) -> Iterator[tuple[str, str]]:
    """Each step that has an output, and where its file stands in the run folder."""
    for id_, action in graph.actions.items():
        if id_ in graph.outputs and output in action.files:
            yield action.step, action.files[output][0]


def _films(graph: TaskGraph) -> Iterator[str]:
    """Where all films stand, in all their formats; of a PNG sequence its folder."""
    for id_, action in graph.actions.items():
        if id_ in graph.outputs and "film" in action.files:
            yield action.files["film"][0]
        elif (
            id_ in graph.outputs
            and isinstance(action.task, FilmTask | SignedFilmTask)
            and action.files
        ):
            yield f"{action.step}/{action.task.file}"


def finished(
    plan: Plan,
    graph: TaskGraph,
    ending: Ending,
    folder: Path,
    seconds: float,
    *,
    calls: Mapping[str, int],
    workers: Mapping[str, int],
    hint: str,
    estimates: Estimates,
    copied: bool = True,
) -> RunFinished:
    """The last event of a run that took so many seconds."""
    count = graph.count
    film = shown(graph, "film")
    sheet = shown(graph, "sheet", film.partition("/")[0])
    table = shown(graph, "table")
    return RunFinished(
        at=seconds,
        ending=ending,
        folder=str(folder),
        seconds=seconds,
        made=count["made"],
        cached=count["cached"],
        failed=count["failed"],
        skipped=count["skipped"],
        calls=calls,
        film=str(folder / film) if film else "",
        films=tuple(str(folder / file) for file in _films(graph)),
        notes=(*(note for notes in plan.notes.values() for note in notes), *_waiting(plan)),
        contact_sheet=str(folder / sheet) if sheet else "",
        table=str(folder / table) if table else "",
        hint=hint,
        estimated_seconds=round(plan.estimate.seconds, 1),
        estimated_memory=estimates.expected_memory,
        peak_memory=estimates.memory,
        copied=copied,
        workers=workers,
    )


def _waiting(plan: Plan) -> Iterator[str]:
    """What was not made since frames are to be approved first."""
    for planned in plan.actions:
        if (
            planned.state is State.UNAPPROVED and planned.action.files
        ):  # others wait for one of these
            yield f"{planned.action.id} waits {planned.reason}"


def manifest(plan: Plan, graph: TaskGraph, finished: RunFinished) -> dict[str, object]:
    """`manifest.json`: every action with what it came to, its key, files and contents."""

    def outcome(id_: str) -> str:
        return graph.outcomes.get(id_, "held" if id_ in graph.held else "skipped")

    def outputs(id_: str) -> Mapping[str, str]:
        return {name: output.digest for name, output in graph.outputs.get(id_, {}).items()}

    return {
        "lorakit": 1,
        "recipe": plan.recipe,
        "ending": finished.ending,
        "seconds": finished.seconds,
        "calls": dict(finished.calls),
        "environment": dict(plan.environment),
        "actions": [
            {
                "id": id_,
                "kind": action.kind,
                "outcome": outcome(id_),
                "key": graph.keys.get(id_),
                "prompt": getattr(action.task, "prompt", None),
                "files": [file for files in action.files.values() for file in files],
                "outputs": outputs(id_),
            }
            for id_, action in graph.actions.items()
        ],
    }
