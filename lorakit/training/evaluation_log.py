"""The loss of the same samples (pictures at the same noise) again and again along a training."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path

from lorakit.store import atomic, journal
from lorakit.training.step_log import Figures

_TIMES = 10  # how often it is measured, besides before the first step


def losses_in(file: Path) -> dict[int, float]:
    """What a log's file holds, by optimizer step."""
    lines = journal.read_checked(file)
    return {int(str(line["step"])): float(str(line["loss"])) for line in lines}


def lowest(losses: Mapping[int, float], until: int) -> int | None:
    """The step up to `until` whose loss was lowest, the first of equals; not the one before all steps."""
    seen = {step: loss for step, loss in losses.items() if 0 < step <= until}
    return min(seen, key=lambda step: (seen[step], step), default=None)


class EvaluationLog:
    """Measured losses by optimizer step, kept in a file so that a killed training has them all."""

    def __init__(
        self,
        file: Path,
        steps: int,
        at: int,
        measure: Callable[[], Generator[float, None, None]],
        *,
        leads: bool = True,
    ) -> None:
        """`at` is the step that the training goes on from; what was measured later is forgotten.

        Of several processes one `leads`; the others never measure.
        """
        self._file, self._steps, self._measure, self._leads = file, steps, measure, leads
        self._every = max(1, -(-steps // _TIMES))
        self.losses = {step: loss for step, loss in losses_in(file).items() if step <= at}
        self._write()

    def due(self, step: int) -> bool:
        """Whether it is to be measured after `step`, and has not been."""
        whole = step % self._every == 0 or step == self._steps
        return whole and step not in self.losses and self._leads

    def measured_if_due(self, step: int) -> Iterator[None]:
        """Measure, where it is to be."""
        if self.due(step):
            yield from self.measured(step)

    def measured(self, step: int) -> Iterator[None]:
        """Measure, a sample at a time."""
        losses = []
        # closed at once where a look is cut off, so that averages leave the weights' place
        with closing(self._measure()) as each:
            for loss in each:
                losses.append(loss)
                yield
        self.losses[step] = sum(losses) / max(1, len(losses))
        self._write()

    @property
    def first(self) -> float:
        """Before the first step."""
        return self.losses[min(self.losses)]

    @property
    def last(self) -> float:
        """The newest."""
        return self.losses[max(self.losses)]

    def best_until(self, step: int) -> int | None:
        """The step up to `step` whose loss was lowest, the first of equals; not the one before all steps."""
        return lowest(self.losses, step)

    def points(self) -> list[tuple[int, float]]:
        """For a curve: steps from 1, and their losses."""
        return [(max(1, step), loss) for step, loss in sorted(self.losses.items())]

    def beside(self, history: Iterable[Figures], name: str) -> Iterator[str]:
        """The lines of `metrics.jsonl`: each step's figures, with the loss that was measured after it."""
        for figures in history:
            record = figures.as_json()
            if figures.step in self.losses:
                record[name] = self.losses[figures.step]
            yield json.dumps(record) + "\n"

    def _write(self) -> None:
        if not self._leads:
            return
        lines = (
            journal.checked({"step": s, "loss": loss}) for s, loss in sorted(self.losses.items())
        )
        atomic.write_bytes(self._file, "".join(lines).encode(), durable=False)
