"""A run as lines, one for each change of state: for logs, pipes and `--plain`."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Self

from lorakit import terminal
from lorakit.execute.events import (
    ActionFinished,
    ActionProgress,
    ActionStarted,
    Note,
    RunFinished,
    RunStarted,
    WorkerState,
)
from lorakit.plan import numbers
from lorakit.plan.workers import WORKERS
from lorakit.ui.outline import show
from lorakit.ui.progress import Progress
from lorakit.ui.summary import summary
from lorakit.ui.theme import clean
from lorakit.ui.words import done_words, speed_words, warning_words, worker_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from rich.console import Console

    from lorakit.execute.events import Event
    from lorakit.plan.states import Plan
    from lorakit.ui.progress import ProgressRow

_EVERY = 5.0  # seconds between two lines about frames


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None


@contextlib.contextmanager
def told(
    plan: Plan, listener: Callable[[Event], None], *, progress: bool | None
) -> Iterator[Callable[[Event], None]]:
    """What a run tells its events to: the listener, and with `progress` (None: in a notebook) lines here."""
    if not (in_notebook() if progress is None else progress):
        yield listener
        return
    with PlainView(plan, terminal.console()) as view:

        def hear(event: Event) -> None:
            view.handle(event)
            listener(event)

        yield hear


class PlainView:
    """Prints a line when a step starts, a scene ends, a frame fails, a film is written."""

    def __init__(self, plan: Plan, console: Console) -> None:
        self._console = console
        self._progress = Progress(plan)
        self._warnings = tuple(warning_words(plan))
        self._begun: set[str] = set()
        self._told = 0.0
        self._sending: dict[str, float] = {}  # when it was said of a worker what goes there

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None and self._progress.finished is not None:
            show(self._console, (("", "  ", line) for line in summary(self._progress)))
            self._console.file.flush()

    def handle(self, event: Event) -> None:
        """Take in one event, and print a line if it is worth one."""
        progress = self._progress
        progress.handle(event)
        if isinstance(event, RunStarted):
            what = f"{numbers.count(event.actions, 'action')}, {event.to_make} to make"
            self._say(f"{event.recipe} -> {event.folder}: {what}")
            for line in self._warnings:
                self._say(line)
            self._told = event.at
        elif isinstance(event, WorkerState):
            name = event.worker or event.slot
            words = worker_words(name, progress.workers[name], event.at)
            if words and event.state != "starting" and self._is_news(name, event):
                self._say(words)
        elif isinstance(event, ActionStarted):
            self._start(event.action)
        elif isinstance(event, ActionFinished):
            self._end(event)
        elif isinstance(event, Note):
            self._say(f"note: {clean(event.text)}")
        # after a training's last step nothing is told for as long as it is measured and checked
        ended = isinstance(event, ActionProgress) and progress.finishing
        if ended or (not isinstance(event, RunFinished) and event.at - self._told >= _EVERY):
            self._news()

    def _is_news(self, name: str, event: WorkerState) -> bool:
        """Whether a state is worth a line: of what travels one now and then is enough."""
        if event.state != "sending":
            return True
        news = event.at - self._sending.get(name, -_EVERY) >= _EVERY
        if news:
            self._sending[name] = event.at
        return news

    def _start(self, action: str) -> None:
        row = self._progress.row_of(action)
        if row is not None and row.step not in self._begun:
            self._begun.add(row.step)
            self._say(f"{row.step}: started")

    def _end(self, event: ActionFinished) -> None:
        row = self._progress.row_of(event.action)
        if row is None:
            return
        if event.outcome == "failed":
            self._say(f"failed {event.action}: {clean(event.detail)}")
        # what was all there already is told by the summary, not scene by scene
        if row.over and row.cached < row.total:
            self._say(f"{_name(row)} {done_words(row)}")

    def _news(self) -> None:
        progress = self._progress
        self._told = progress.at
        parts = [f"{progress.done} of {progress.total} done", *speed_words(progress)]
        at_work = progress.at_work
        if len(at_work) > 1:
            parts.append("now " + ", ".join(f"{a.id} ({name})" for name, a in at_work.items()))
        elif progress.current is not None:
            parts.append(f"now {progress.current.id}")
        if progress.current is not None and WORKERS[progress.current.engine.slot].fresh:
            done, units = progress.steps_of(progress.current)
            parts.append(f"step {done:,} of {units:,}")
        self._say(", ".join(parts))

    def _say(self, text: str) -> None:
        terminal.write(self._console.file, f"{self._progress.at:8.1f} s  {terminal.line(text)}\n")
        self._console.file.flush()


def _name(row: ProgressRow) -> str:
    return f"{row.step}: {row.title}" if row.single else f"{row.step}/{row.title}:"
