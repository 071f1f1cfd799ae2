"""What a run's workers are doing, and how fast those of a kind have been of late."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

_WINDOW = (
    20.0  # seconds over which speed is measured: a scene's change shows, a wave's end does not
)


@dataclass(slots=True)
class WorkerShown:
    """A worker: its state in words, and since when."""

    state: str = ""
    detail: str = ""
    since: float = 0.0
    seconds: float = 0.0
    where: str = ""


@dataclass(slots=True)
class WorkerProgress:
    """All workers of a kind: how fast they have been of late, together."""

    left: int = 0  # units
    active: int = 0  # actions
    idle_since: float = 0.0
    kind: str = ""  # of work, that its speed is of
    recent: deque[tuple[float, int]] = field(default_factory=deque)  # (at, units)
    recent_units: int = 0

    def begin(self, at: float, kind: str) -> None:
        """An action of a kind of work begins: the time in which there was none does not count."""
        if kind != self.kind:
            self.kind = kind
            self.forget()
        elif not self.active:
            idle = at - self.idle_since
            self.recent = deque((then + idle, units) for then, units in self.recent)
        self.active += 1

    def end(self, at: float) -> None:
        """An action ended."""
        self.active -= 1
        self.idle_since = at

    def add(self, at: float, units: int) -> None:
        """Count units that went through at a time."""
        self.recent.append((at, units))
        self.recent_units += units
        while self.recent[0][0] < at - _WINDOW:
            self.recent_units -= self.recent.popleft()[1]

    def forget(self) -> None:
        """Measure its speed anew."""
        self.recent.clear()
        self.recent_units = 0

    def rate(self) -> float:
        """Units a second of late; 0 where nothing can be said yet."""
        if len(self.recent) < 2:
            return 0.0
        span = self.recent[-1][0] - self.recent[0][0]
        # the first batch ended when the span began: it is no work of the span's
        return (self.recent_units - self.recent[0][1]) / span if span > 0.2 else 0.0
