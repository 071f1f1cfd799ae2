"""What has happened in a run so far, as the views draw it: rows, sums, speed; fed with events.

Each event costs the same whatever the plan's size. Nothing here draws or reads a clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lorakit.execute.events import (
    ActionFinished,
    ActionProgress,
    ActionStarted,
    RunFinished,
    RunStarted,
    WorkerState,
)
from lorakit.plan.states import State
from lorakit.plan.tasks.frame import FrameTask
from lorakit.plan.tasks.task import WorkerTask
from lorakit.plan.workers import WORKERS
from lorakit.ui.worker_progress import WorkerProgress, WorkerShown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lorakit.execute.events import Event
    from lorakit.plan.actions import Action
    from lorakit.plan.states import Plan


@dataclass(slots=True)
class ProgressRow:
    """One line of the tree: a scene with its frames, or a film or a sheet alone."""

    step: str
    title: str
    single: bool
    noun: str = "unit"
    total: int = 0
    made: int = 0
    cached: int = 0
    failed: int = 0
    skipped: int = 0
    units: int = 0
    units_done: int = 0
    active: int = 0
    file: str = ""
    thing: str = "frame"

    @property
    def done(self) -> int:
        """Actions that have ended, one way or another."""
        return self.made + self.cached + self.failed + self.skipped

    @property
    def over(self) -> bool:
        """Whether nothing is left to do in it."""
        return self.done >= self.total

    @property
    def share(self) -> float:
        """How much of its work is through, 0 to 1."""
        return 1.0 if self.over else self.units_done / self.units if self.units else 0.0


class Progress:
    """The state of a run, from its plan and its events."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.actions: dict[str, Action] = {}
        self.rows: list[ProgressRow] = []
        self.slots: dict[str, WorkerProgress] = {}  # by kind
        self.workers: dict[str, WorkerShown] = {}  # by name
        self.folder = ""
        self.at = 0.0
        self.current: Action | None = None
        self.figures: Mapping[str, float] = {}  # what a training last told of itself
        self.picture = ""  # path in the run folder
        self.pictured: Action | None = None
        self.failures: list[tuple[str, str]] = []
        self.finished: RunFinished | None = None
        self._rows: dict[tuple[str, str], ProgressRow] = {}
        self._row_of: dict[str, ProgressRow] = {}
        self._perhaps = {p.action.id: p.action for p in plan.actions if p.state is State.PERHAPS}
        self._units_done: dict[str, int] = {}
        self._ended: set[str] = set()
        self._active: dict[str, str] = {}  # in the order they began, with the worker's name
        self._to_make: set[str] = set()
        self._guesses: dict[str, float] = {}
        self._prepare()

    def _prepare(self) -> None:
        for planned in self.plan.actions:
            if planned.state.left_alone or planned.state is State.PERHAPS:
                continue
            self._add(planned.action)
            if planned.state.to_make:
                self.slots[planned.action.engine.slot].left += planned.action.units
        self._to_make = {p.action.id for p in self.plan.to_make}
        self._guesses = self._first_guesses()

    def _add(self, action: Action) -> None:
        """Count an action in its row."""
        self.actions[action.id] = action
        key = (action.step, action.group or action.id)
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = ProgressRow(
                action.step,
                _title(action),
                not action.group,
                action.task.unit,
                thing=action.task.noun,
            )
            self.rows.append(row)
        elif action.task.noun != row.thing:
            row.thing = WorkerTask.noun  # a member of a sweep has actions of several kinds
        row.total += 1
        row.units += action.units
        self._row_of[action.id] = row
        self.slots.setdefault(action.engine.slot, WorkerProgress())

    def _first_guesses(self) -> dict[str, float]:
        """Seconds a unit at each worker, as the plan expects."""
        spent = self.plan.estimate.by_worker
        return {n: spent.get(n, 0.0) / max(1, slot.left) for n, slot in self.slots.items()}

    @property
    def finishing(self) -> bool:
        """Whether a training is through its steps, and measures, saves and checks what came of them."""
        at = self.current
        return (
            at is not None
            and WORKERS[at.engine.slot].fresh
            and self._units_done.get(at.id, 0) >= at.units
        )

    def steps_of(self, action: Action) -> tuple[int, int]:
        """How many of an action's units are through, and of how many."""
        return self._units_done.get(action.id, 0), action.units

    @property
    def total(self) -> int:
        """Actions of this run."""
        return len(self.actions)

    @property
    def done(self) -> int:
        """Actions that have ended."""
        return len(self._ended)

    @property
    def at_work(self) -> dict[str, Action]:
        """What each worker is at that has begun something, by its name: the last that it began."""
        return {worker: self.actions[id_] for id_, worker in self._active.items()}

    def row_of(self, action: str) -> ProgressRow | None:
        """Find the line an action belongs to."""
        return self._row_of.get(action)

    def handle(self, event: Event) -> None:
        """Take in one event."""
        self.at = max(self.at, event.at)
        if isinstance(event, ActionProgress):
            self._advance(event.action, event.done, event.at)
            self.figures = event.figures or self.figures
            if event.picture:
                self.picture = event.picture
                self.pictured = self.actions.get(event.action)
        elif isinstance(event, ActionStarted):
            self._begin(event.action, event.worker)
        elif isinstance(event, ActionFinished):
            self._end(event)
        elif isinstance(event, WorkerState):
            self.slots.setdefault(event.slot, WorkerProgress())
            shown = WorkerShown(event.state, event.detail, event.at, event.seconds, event.where)
            self.workers[event.worker or event.slot] = shown
        elif isinstance(event, RunStarted):
            self.folder = event.folder
        elif isinstance(event, RunFinished):
            self.finished = event

    def _begin(self, id_: str, worker: str) -> None:
        self.figures = {}
        if id_ in self._perhaps and id_ not in self.actions:
            # a try before it did not pass
            self._add(self._perhaps[id_])
            self.slots[self.actions[id_].engine.slot].left += self.actions[id_].units
            self._to_make.add(id_)
        row = self._row_of.get(id_)
        if row is not None and id_ not in self._ended and id_ not in self._active:
            row.active += 1
            self._active[id_] = worker or self.actions[id_].engine.slot
            self.current = action = self.actions[id_]
            # another training's steps are longer or shorter, and a process has begun in between
            kind = id_ if WORKERS[action.engine.slot].fresh else action.cost.timing
            self.slots[action.engine.slot].begin(self.at, kind)

    def _advance(self, id_: str, done: int, at: float, *, worked: bool = True) -> None:
        row, action = self._row_of.get(id_), self.actions.get(id_)
        if row is None or action is None:
            return
        # a worker that died does its frame again: what counts is how far it has ever been
        more = min(done, action.units) - self._units_done.get(id_, 0)
        if more <= 0:
            return
        self._units_done[id_] = self._units_done.get(id_, 0) + more
        row.units_done += more
        slot = self.slots[action.engine.slot]
        if id_ in self._to_make:
            slot.left = max(0, slot.left - more)
        if worked:
            slot.add(at, more)

    def _end(self, event: ActionFinished) -> None:
        row = self._row_of.get(event.action)
        if row is None or event.action in self._ended:
            return
        self._ended.add(event.action)
        if event.action in self._active:
            del self._active[event.action]
            row.active -= 1
            self.slots[self.actions[event.action].engine.slot].end(event.at)
        setattr(row, event.outcome, getattr(row, event.outcome) + 1)
        action = self.actions[event.action]
        self._advance(event.action, action.units, event.at, worked=event.outcome == "made")
        if event.files:
            row.file = event.files[0]
        if event.outcome == "failed":
            self.failures.append((event.action, event.detail))
        if event.picture and isinstance(action.task, FrameTask) and event.outcome == "made":
            self.picture, self.pictured = event.picture, action
        if self.current is action:
            self.figures = {}
            self.current = self.actions[next(iter(self._active))] if self._active else None

    def seconds_left(self) -> float | None:
        """Guess what is left of the run: from its speed, and before that from the plan's estimate."""
        left = sum(slot.left for slot in self.slots.values())
        if not left:
            return 0.0
        seconds = 0.0
        for name, slot in self.slots.items():
            rate, guess, left = slot.rate(), self._guesses[name], slot.left
            if WORKERS[name].fresh:
                # others' steps are longer or shorter, and each begins and ends with more than steps
                at = self.current if self.current and self.current.engine.slot == name else None
                left = min(left, at.units - self._units_done.get(at.id, 0)) if at else 0
                seconds += (slot.left - left) * guess
            seconds += left / rate if rate else left * guess
        return seconds or None


def _title(action: Action) -> str:
    """Name a row: a scene by its name, other groups by theirs, what stands alone by its kind."""
    if not action.group:
        return action.name
    # a scene's name may hold what divides an address
    scene = action.id.removeprefix(f"{action.step}/").rpartition("/")[0]
    return action.group if not scene or f"{scene}/".startswith(f"{action.group}/") else scene
