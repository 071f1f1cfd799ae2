"""A run that finds everything made: no new folder, but the one that holds all of it already."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from lorakit.execute import run_report
from lorakit.execute.estimates import Estimates
from lorakit.execute.events import ActionFinished, Event, RunFinished, RunStarted
from lorakit.execute.run_folder import MANIFEST, REPORT, home_of, latest, name_latest, numbered
from lorakit.execute.task_graph import TaskGraph
from lorakit.facts.files.digests import Digests
from lorakit.files import read_regular
from lorakit.plan.hint import what_a_change_costs
from lorakit.plan.states import Plan
from lorakit.store import scratch
from lorakit.store.journal import Addresses
from lorakit.store.store import FOLDER

_MOST_MANIFEST = 500_000_000  # bytes; of 100,000 frames it has 50 MB


def folder_with_all(plan: Plan, root: Path) -> Path | None:
    """The run folder below a project's home that holds what a plan would make, to the byte; None for none.

    The latest complete run is looked at first, then the newest. A folder that holds scenes which are no more
    is none, but where only a part of the recipe is asked for.
    """
    if plan.to_make or home_of(root, plan.recipe).is_symlink():
        return None
    asked = [p for p in plan.actions if not p.state.left_alone]
    wanted = {
        path: (p.outputs or {}).get(name, "")
        for p in asked
        for name, paths in p.action.files.items()
        for path in paths
    }
    part = len(asked) < len(plan.actions)
    digests = Digests(root / FOLDER / "digests.json")
    try:
        for folder in _folders(home_of(root, plan.recipe)):
            listed = _listed(folder)
            if listed is None or not (wanted.keys() <= listed if part else wanted.keys() == listed):
                continue
            if all(_is(digests, folder / path, digest) for path, digest in wanted.items()):
                return folder
    finally:
        digests.save()
    return None


def tell(plan: Plan, root: Path, folder: Path, listener: Callable[[Event], None]) -> RunFinished:
    """What a run says that makes nothing and copies nothing; `folder` becomes the latest complete run."""
    began = time.monotonic()
    graph = TaskGraph(plan)
    listener(RunStarted(0.0, str(folder), plan.recipe, len(plan.actions), 0))
    for planned in plan.actions:
        action, key = planned.action, planned.key or ""
        if action.id in graph.held:
            continue
        graph.keys[action.id] = key
        graph.settle(action.id, {}, "cached")
        files = tuple(path for paths in action.files.values() for path in paths)
        picture = next((file for file in files if file.endswith(".png")), "")
        listener(ActionFinished(0.0, action.id, "cached", key, 0.0, files, picture))
    try:
        with scratch.swept(root / FOLDER) as mine:
            if mine:
                scratch.clear(root / FOLDER)  # what a run left that was killed when all was made
        Addresses(root / FOLDER, plan.recipe).update(graph.keys)
        if not graph.held:
            name_latest(folder)
    except OSError:
        pass  # the next plan is poorer by its reasons; what was asked for is there
    finished = run_report.finished(
        plan,
        graph,
        "done",
        folder,
        round(time.monotonic() - began, 3),
        calls={},
        workers={},
        hint=what_a_change_costs(list(graph.actions.values()), plan.timings),
        estimates=Estimates(plan.timings),
        copied=False,
    )
    if (folder / REPORT).is_file():
        finished = replace(finished, report=str(folder / REPORT))
    listener(finished)
    return finished


def _folders(home: Path) -> list[Path]:
    """Run folders, the latest complete one first, then from the newest on."""
    complete = latest(home)
    newest_first = numbered(home)[::-1]
    return sorted(newest_first, key=lambda folder: folder.name != complete)


def _listed(folder: Path) -> set[str] | None:
    """The files that a run put into its folder; None where it has not ended, or the list is damaged."""
    try:
        manifest: Any = json.loads(read_regular(folder / MANIFEST, _MOST_MANIFEST))
        return {str(file) for action in manifest["actions"] for file in action["files"]}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _is(digests: Digests, file: Path, digest: str) -> bool:
    try:
        return not file.is_symlink() and digests.file(file) == digest
    except OSError:
        return False
