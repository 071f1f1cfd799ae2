"""What the page shows: the last run or the one that goes on, what is wrong now, a line about both."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from lorakit.diagnostics import Diagnostic
from lorakit.execute.events import (
    ActionFinished,
    ActionProgress,
    ActionStarted,
    Event,
    RunFinished,
    RunStarted,
)
from lorakit.pages.parts import Page, Tone
from lorakit.pages.render import render
from lorakit.pages.run_report import page_of_folder
from lorakit.pages.watch_page import live
from lorakit.plan import numbers

_SHARE = 4  # a page is drawn again no sooner than so many times as long as drawing it took
_LEAST = 0.25  # s


class Shown:
    """Told by the one thread that runs, asked by the server's; each change wakes who listens."""

    def __init__(self, document: Path) -> None:
        self.version = 0
        self.status = "reading"
        self.tone: Tone = ""
        self.over = False
        self.folder: Path | None = None
        self._name = document.name
        self._findings: tuple[Diagnostic, ...] = ()
        self._going = False
        self._to_make = self._made = 0
        self._underway: dict[str, str] = {}  # previews by what they are of
        self._lock = threading.Lock()
        self._drawn: tuple[int, str] = (-1, "")
        self._took = 0.0
        self._told = 0.0
        self._listeners: list[Callable[[], None]] = []

    # -- told --------------------------------------------------------------------------------------

    def say(self, status: str, tone: Tone = "") -> None:
        """A line about what goes on."""
        self._change(status, tone)

    def findings(self, findings: Sequence[Diagnostic], status: str, tone: Tone) -> None:
        """What is wrong with the documents as they were saved; the pictures stay."""
        self._findings = tuple(findings)
        self._change(status, tone)

    def handle(self, event: Event) -> None:
        """An event of a run."""
        match event:
            case RunStarted():
                self.folder, self._going = Path(event.folder), event.to_make > 0
                self._to_make, self._made = event.to_make, 0
                if self._going:
                    self._change(f"drawing, {numbers.count(self._to_make, 'thing')} to make", "")
            case ActionStarted():
                at = f", {self._made} of {self._to_make}" if self._to_make else ""
                self._change(f"drawing {event.action}{at}", "", soon=False)
            case ActionProgress() if event.picture:
                self._underway[event.action] = event.picture
                self._change(f"drawing {event.action}, {event.done} of {event.total} steps", "")
            case ActionFinished() if event.outcome == "made":
                self._underway.pop(event.action, None)
                self._made += 1
                self._change(
                    f"made {event.action}, {self._made} of {self._to_make}", "", soon=False
                )
            case RunFinished():
                self.folder, self._going = Path(event.folder), False
                self._underway.clear()

    def close(self) -> None:
        """Nothing is shown any more."""
        self.over = True
        self._change("lorakit watch has ended", "skipped")

    def _change(self, status: str, tone: Tone, *, soon: bool = True) -> None:
        self.status, self.tone = status, tone
        self.version += 1
        now = time.monotonic()
        if soon or now - self._told >= max(_LEAST, _SHARE * self._took):
            self._told = now
            for wake in list(self._listeners):
                wake()

    # -- asked -------------------------------------------------------------------------------------

    def listen(self, wake: Callable[[], None]) -> None:
        """Call `wake` on each change."""
        self._listeners.append(wake)

    def forget(self, wake: Callable[[], None]) -> None:
        """Call it no more."""
        self._listeners.remove(wake)

    def page(self) -> str:
        """The page as it stands."""
        with self._lock:
            version = self.version
            if self._drawn[0] != version:
                began = time.thread_time()
                self._drawn = version, render(self._page())
                self._took = time.thread_time() - began
            return self._drawn[1]

    def _page(self) -> Page:
        folder = self.folder
        page = page_of_folder(folder, compare=not self._going) if folder else None
        return live(page, self._name, self.status, self.tone, self._findings, dict(self._underway))
