"""What is noted of a training's steps, in memory and in `metrics.jsonl`, and kept where it goes on."""

from __future__ import annotations

from pathlib import Path

from lorakit.records import record
from lorakit.store import atomic, journal


@record
class Figures:
    """One optimizer step: `step` counts from 1, `seconds` are this step's, `memory` the peak in bytes."""

    step: int
    loss: float
    learning_rate: float
    grad_norm: float
    seconds: float
    memory: int

    def as_json(self) -> dict[str, float]:
        """One line of `metrics.jsonl`."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


class StepLog:
    """The figures of a training's steps; in `folder` too, if there is one and this process `writes`."""

    def __init__(self, folder: Path | None, *, writes: bool) -> None:
        self._path = folder / "metrics.jsonl" if folder is not None else None
        self._writes = writes
        self.history: list[Figures] = []

    def note(self, figures: Figures) -> None:
        """One step is through. Raises OSError."""
        self.history.append(figures)
        if self._path is not None and self._writes:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(journal.checked(figures.as_json()))

    def go_back(self, step: int) -> None:
        """What was noted after a checkpoint's step happens again: keep what was before. Raises OSError."""
        if self._path is None or not self._path.exists():
            return
        kept: list[str] = []
        for line in journal.read_checked(self._path):
            figures = Figures(**line)  # type: ignore[arg-type]
            if figures.step > step:
                break
            self.history.append(figures)
            kept.append(journal.checked(line))
        if self._writes:
            atomic.write_bytes(self._path, "".join(kept).encode(), durable=False)
