"""Other runs of the same recipe, whose frames can be laid beneath this one's."""

from __future__ import annotations

from collections.abc import Sequence

from lorakit.diagnostics import LorakitError
from lorakit.execute import past_run
from lorakit.execute.past_run import WholeRun
from lorakit.execute.run_folder import numbered
from lorakit.pages.parts import Compare, Other

MOST = 12  # runs that a page offers, the nearest first


def beside(run: WholeRun) -> list[WholeRun]:
    """The runs in the folders beside a run's own, as far as they can be read: earlier ones first."""
    own = int(run.name) if run.name.isdecimal() else 0
    runs = numbered(run.folder.parent)
    earlier = [path for path in reversed(runs) if int(path.name) < own]
    near = earlier + [path for path in runs if int(path.name) > own]
    found = []
    for path in near[:MOST]:
        try:
            found.append(past_run.read(path))
        except LorakitError:
            continue
    return found


def compared(run: WholeRun, others: Sequence[WholeRun]) -> Compare | None:
    """What the slider is given: pictures of the same address in several runs; None where there are no two."""
    frames = [a for a in run.actions if a.file("picture") and a.succeeded]
    told = []
    for other in others:
        theirs = {a.id: a for a in other.actions if a.succeeded}
        pictures, same = [], []
        for frame in frames:
            match = theirs.get(frame.id)
            path = match.file("picture") if match else ""
            there = bool(path) and (other.folder / path).is_file()
            pictures.append(path if there else "")
            digest = frame.outputs.get("picture")
            same.append(
                match is not None and bool(digest) and match.outputs.get("picture") == digest
            )
        if any(pictures):
            told.append(Other(other.name, f"../{other.name}", pictures, same))
    if not frames or not told:
        return None
    return Compare(run.name, [(a.id, a.file("picture")) for a in frames], told)
