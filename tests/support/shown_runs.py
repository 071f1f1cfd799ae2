"""Events of a run as a runner tells them, at made-up times: what the views draw, without a run."""

from collections.abc import Iterator
from pathlib import Path

from lorakit.execute.events import (
    ActionFinished,
    ActionProgress,
    ActionStarted,
    Event,
    Note,
    RunFinished,
    RunStarted,
    WorkerState,
)
from lorakit.plan.states import Plan

STEP = 0.05  # seconds for a step of a wave


def events_of(plan: Plan, folder: Path, *, wave: int = 4, fails: str = "") -> Iterator[Event]:
    """Loading, waves of frames, the sheet, the film, the end; the frame `fails` fails."""
    yield RunStarted(0.0, str(folder), plan.recipe, len(plan.actions), len(plan.to_make))
    yield WorkerState(0.02, "render", "starting")
    yield WorkerState(0.5, "render", "waiting", "held by process 17")
    yield WorkerState(1.0, "render", "loading", "lorakit:studio")
    yield WorkerState(2.2, "render", "ready", "lorakit:studio", 1.2)
    at = 2.2
    made = failed = 0
    frames = [p.action for p in plan.actions if p.action.kind == "frame"]
    frames.sort(key=lambda a: int(a.id.rsplit("/", 1)[1]))
    for first in range(0, len(frames), wave):
        row = frames[first : first + wave]
        for action in row:
            yield ActionStarted(at, action.id)
        for step in range(1, max(a.units for a in row) + 1):
            at = round(at + STEP, 3)
            for action in row:
                if step <= action.units:
                    yield ActionProgress(at, action.id, step, action.units)
        for action in row:
            files = tuple(action.files["picture"])
            if action.id == fails:
                failed += 1
                yield ActionFinished(at, action.id, "failed", detail="out of memory")
            else:
                made += 1
                yield ActionFinished(at, action.id, "made", "k", 0.5, files, files[0])
        if first == 0:
            yield Note(at, "the render worker ended by itself (signal 9); starting it again")
    skipped = 0
    for planned in plan.actions:
        action = planned.action
        if action.kind == "frame":
            continue
        if failed:
            skipped += 1
            yield ActionFinished(at, action.id, "skipped", detail=f"needs {fails}, which failed")
            continue
        yield ActionStarted(at, action.id)
        for done in range(10, action.units, 10):
            at = round(at + 0.02, 3)
            yield ActionProgress(at, action.id, done, action.units)
        files = tuple(f for paths in action.files.values() for f in paths)
        picture = next((f for f in files if f.endswith(".png")), "")
        made += 1
        yield ActionFinished(at, action.id, "made", "k", 0.5, files, picture)
    yield RunFinished(
        at,
        "failed" if failed else "done",
        str(folder),
        at,
        made,
        0,
        failed,
        skipped,
        {"unet": 60},
        "" if failed else str(folder / "film/film.mp4"),
        "" if failed else str(folder / "film/contact_sheet.png"),
        "change line 9 of storyboards/bunny.yaml and run again: 3 frames, about 8 s",
    )
