"""A frame of a run, or a picture of the project, as an agent sees it: small enough to be sent."""

from __future__ import annotations

import difflib
import io
from pathlib import Path

from lorakit.cli.mcp.inside import Inside
from lorakit.diagnostics import LorakitError
from lorakit.execute import past_run
from lorakit.execute.past_action import PastAction
from lorakit.execute.past_runs import find, runs_of
from lorakit.facts.pictures.open_picture import rgb
from lorakit.records import record

_SIDE = 1024  # px of the longer side at most
_LISTED = 40  # addresses that are told where none is right


@record
class Looked:
    """A picture as PNG, and what is told of it."""

    png: bytes
    words: str


def look(inside: Inside, frame: str, run: str) -> Looked:
    """A frame by its address (`film/meadow/1`) in a run, the newest by default, or a picture's file.

    Raises LorakitError.
    """
    path = Path(frame)
    if path.is_absolute() or ".." in path.parts or path.is_symlink() or path.is_file():
        return _picture(inside.path(frame), [frame])
    runs = runs_of(inside.root)
    if not runs:
        raise LorakitError("no run yet: `run` makes one, and then its frames can be looked at")
    chosen = find(runs, run) if run else runs[-1]
    actions = {one.id: one for one in past_run.read(chosen.path).actions}
    action = actions.get(frame)
    if action is None:
        raise LorakitError(_other(frame, chosen.name, actions))
    file = _shown(action)
    if not file or not (chosen.path / file).exists():
        raise LorakitError(
            f"{frame} has no picture in {chosen.name}: {action.outcome or 'not made'}"
        )
    whole = chosen.path / file
    if not whole.resolve().is_relative_to(chosen.path.resolve()):
        raise LorakitError(f"{whole} is a link that leaves the run")
    return _picture(whole, [f"{chosen.name} {frame}, {file}", *_facts(action)])


def _other(frame: str, run: str, actions: dict[str, PastAction]) -> str:
    """What to say of an address that a run does not have."""
    known = [id_ for id_, action in actions.items() if _shown(action)]
    close = difflib.get_close_matches(frame, known, n=3)
    more = f", and {len(known) - _LISTED} more" if len(known) > _LISTED else ""
    hint = ", ".join(close) if close else ", ".join(known[:_LISTED]) + more
    return f"there is no picture {frame} in {run}; there is: {hint}"


def _shown(action: PastAction) -> str:
    files = (path for paths in action.files.values() for path in paths)
    return next((path for path in files if path.endswith(".png")), "")


def _facts(action: PastAction) -> list[str]:
    frame = action.frame
    told = [
        ("prompt", frame.prompt),
        ("without", frame.negative_prompt),
        ("seed", "" if frame.seed is None else f"{frame.seed}"),
        ("starts from", ", ".join(frame.starts)),
        ("strength", f"{frame.strength:g}" if frame.starts and frame.strength is not None else ""),
        ("came", action.outcome),
    ]
    return [f"{name}: {value}" for name, value in told if value]


def _picture(path: Path, words: list[str]) -> Looked:
    picture = rgb(path, ground="black")
    words.append(f"size: {picture.width} x {picture.height} px")
    if max(picture.size) > _SIDE:
        picture.thumbnail((_SIDE, _SIDE))
        words.append(f"shown: {picture.width} x {picture.height} px")
    data = io.BytesIO()
    picture.save(data, "PNG")
    return Looked(data.getvalue(), "\n".join(words))
