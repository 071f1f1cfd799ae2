"""How a project stands: the runs that are going on, the last one, and what is out of date."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from lorakit.execute.past_runs import PastRun, runs_of
from lorakit.execute.run_folder import OUTPUTS
from lorakit.execute.running import Running, runs_going_on
from lorakit.language.found import documents_below
from lorakit.language.projects import FOLDER
from lorakit.records import record
from lorakit.upkeep.standing import Standing, standings


@record
class ProjectStatus:
    """`documents` is None where a run is going on and none was named: to plan them would disturb it.

    `others` is how many documents were never run.
    """

    running: Sequence[Running]
    last: PastRun | None = None
    documents: Sequence[Standing] | None = None
    others: int = 0

    def as_json(self) -> dict[str, object]:
        """As `lorakit status --json` tells it."""
        from lorakit.ui.runs_view import run_json

        told: dict[str, object] = {"running": [asdict(one) for one in self.running]}
        if self.documents is None:
            return told
        return told | {
            "last": run_json(self.last) if self.last else None,
            "documents": [
                {**asdict(one), "document": str(one.document), "reasons": list(one.reasons)}
                for one in self.documents
            ],
            "never_run": self.others,
        }


def project_status(
    home: Path,
    named: Sequence[Path],
    held: Callable[[Iterable[Path]], Iterable[Path]] = iter,
) -> ProjectStatus:
    """Look at a project; of its documents at those that are `named`, else at those that were run.

    `held` leaves out those that may not be read.
    """
    going = runs_going_on(home / FOLDER)
    if going and not named:
        return ProjectStatus(going)
    runs = runs_of(home, {one.folder for one in going})
    below = held(documents_below(home, besides=home / OUTPUTS))
    stand, others = standings(named, below, {run.path.parent.name for run in runs})
    return ProjectStatus(going, runs[-1] if runs else None, stand, others)
