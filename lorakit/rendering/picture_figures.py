"""Figures of pictures that follow each other: how much they change."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lorakit.plan.tasks.figures import PictureFiguresTask
from lorakit.rendering.fitting import open_rgb
from lorakit.store import atomic

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def difference(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """The mean absolute difference of two pictures (height, width, 3) of one size, as a share of white."""
    return float(abs(one - other).mean() / 255)


def figures(rows: Iterable[Sequence[Path]]) -> dict[str, float]:
    """Mean change of each picture from the one before it, and from the first of its row.

    Rows with a single picture say nothing; without any other there are no such figures. Raises PictureError.
    """
    import numpy as np

    from_previous: list[float] = []
    from_first: list[float] = []
    for row in rows:
        pictures = (np.asarray(open_rgb(path), np.float32) for path in row)
        first: NDArray[np.float32] | None = None
        for before, after in itertools.pairwise(pictures):
            first = before if first is None else first
            if before.shape == after.shape == first.shape:
                from_previous.append(difference(before, after))
                from_first.append(difference(first, after))
    if not from_previous:
        return {}
    return {
        "change_from_previous": round(float(np.mean(from_previous)), 6),
        "change_from_first": round(float(np.mean(from_first)), 6),
    }


def write_figures(
    folder: Path, task: PictureFiguresTask, inputs: Mapping[str, str]
) -> dict[str, str]:
    """Write `metrics.json` of the pictures that the inputs are."""
    metrics: dict[str, float] = {"pictures": len(inputs)}
    metrics |= figures([[Path(inputs[role]) for role in row] for row in task.rows])
    atomic.write_json(folder / "metrics.json", metrics)
    return {"metrics": str(folder / "metrics.json")}
