"""Pictures of the last run: those that show what the documents say now."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lorakit.diagnostics import LorakitError
from lorakit.execute.run_folder import MANIFEST, home_of, latest, numbered
from lorakit.files import parse_json, read_text
from lorakit.kinds.sound_actions import TIMING
from lorakit.language.recipe.folders import in_folder
from lorakit.plan.actions import Action
from lorakit.plan.film_times import FilmTimes, read_times
from lorakit.plan.tasks.frame import FrameTask

_MOST = 512 << 20  # bytes of a manifest
_MOST_TIMES = 16 << 20  # of a film's times


def last_folder(home: Path, recipe: str) -> Path | None:
    """The folder of the last complete run, or else of the last that ended; None where there is none.

    `home` is where the project's outputs are.
    """
    runs = home_of(home, recipe)
    complete = latest(runs)
    newest_first = numbered(runs)[::-1]
    likeliest = [run for run in newest_first if run.name == complete] + newest_first
    return next((run for run in likeliest if (run / MANIFEST).is_file()), None)


def pictures(folder: Path, actions: Iterable[Action]) -> tuple[dict[str, Path], tuple[str, ...]]:
    """Files by the address of their frame, and the addresses whose picture is of other words than now.

    Raises LorakitError where the folder's manifest cannot be read.
    """
    prompts = _prompts(folder / MANIFEST)
    found: dict[str, Path] = {}
    stale: list[str] = []
    for action in actions:
        names = action.files.get("picture", ())
        if action.id not in prompts or not names or not (folder / names[0]).is_file():
            continue
        if isinstance(action.task, FrameTask) and prompts[action.id] != action.task.prompt:
            stale.append(action.id)
        else:
            found[action.id] = folder / names[0]
    return found, tuple(stale)


def times(folder: Path, step: str) -> FilmTimes | None:
    """The times of a step's film; None where nothing settled them, or the file is of another's making."""
    try:
        return read_times(read_text(folder / in_folder(f"{step}/{TIMING}"), _MOST_TIMES))
    except (OSError, ValueError):
        return None


def _prompts(manifest: Path) -> dict[str, Any]:
    try:
        told = parse_json(read_text(manifest, _MOST))
        return {one["id"]: one.get("prompt") for one in told["actions"]}
    except OSError as error:
        raise LorakitError(f"{manifest} cannot be read: {error.strerror}") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise LorakitError(
            f"{manifest} is no manifest of a run; remove that folder, or run again"
        ) from error
