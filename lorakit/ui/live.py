"""A run as it happens: a tree of scenes with bars, the newest frame as a picture, what is left."""

from __future__ import annotations

import time
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Protocol, Self

from lorakit.execute.events import ActionFinished, Note, RunStarted
from lorakit.ui.outline import show
from lorakit.ui.plain import PlainView
from lorakit.ui.progress import Progress
from lorakit.ui.screen import Screen, ShownPicture
from lorakit.ui.summary import summary
from lorakit.ui.theme import BAD, WARN, clean, shows_pictures
from lorakit.ui.words import warning_words

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from rich.console import Console, RenderableType
    from rich.live import Live

    from lorakit.execute.events import Event
    from lorakit.plan.states import Plan

_FRAMES_A_SECOND = 8
_PICTURE_EVERY = 0.4  # seconds: decoding a picture costs more than drawing the rest


class RunView(Protocol):
    """What a run tells its events to; a context manager that ends with a summary."""

    def handle(self, event: Event) -> None:
        """Take in one event."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


def view_for(plan: Plan, console: Console, *, plain: bool = False) -> RunView:
    """Choose a view: live on a terminal that can be redrawn, else lines."""
    if plain or not console.is_terminal or console.is_dumb_terminal:
        return PlainView(plan, console)
    return LiveView(plan, console)


class LiveView:
    """Redraws up to eight times a second, by itself; taking in an event draws nothing."""

    def __init__(
        self,
        plan: Plan,
        console: Console,
        *,
        thumbnails: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console = console
        self._progress = Progress(plan)
        self._warnings = tuple(warning_words(plan))
        self._screen = Screen(self._progress, console)
        self._clock = clock
        self._began = clock()
        self._lock = Lock()
        self._live: Live | None = None
        self._thumbnails = thumbnails and shows_pictures(console)
        self._picture: ShownPicture | None = None
        self._shown: tuple[str, tuple[int, int] | None] = ("", None)  # its path and its room
        self._loaded = -_PICTURE_EVERY  # when, in seconds of the run

    def __enter__(self) -> Self:
        from rich.live import Live

        self._live = Live(
            console=self._console,
            get_renderable=self.draw,
            refresh_per_second=_FRAMES_A_SECOND,
            vertical_overflow="crop",
        )
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None
        if error is None:
            self._console.print()
            show(self._console, (("", "  ", line) for line in summary(self._progress)))

    def handle(self, event: Event) -> None:
        """Take in one event."""
        with self._lock:
            self._progress.handle(event)
        if isinstance(event, RunStarted):
            self._began = self._clock() - event.at
            for line in self._warnings:
                self._above(line, WARN)
        elif isinstance(event, Note):
            self._above(clean(event.text), WARN)
        elif isinstance(event, ActionFinished) and event.outcome == "failed":
            self._above(clean(f"failed {event.action}: {event.detail}"), BAD)

    def _above(self, text: str, style: str) -> None:
        from rich.text import Text

        self._console.print(Text(text, style))

    def draw(self) -> RenderableType:
        """Draw the run as it stands."""
        now = self._clock() - self._began
        self._load_picture(now)
        with self._lock:
            return self._screen.draw(now, self._picture)

    def _load_picture(self, now: float) -> None:
        if not self._thumbnails:
            return
        size = self._screen.picture_size()
        with self._lock:
            path = self._progress.picture and f"{self._progress.folder}/{self._progress.picture}"
        if not path or size is None or (path, size) == self._shown:
            return
        if now - self._loaded < _PICTURE_EVERY:
            return
        from lorakit.ui.thumbnail import thumbnail

        loaded = thumbnail(Path(path), *size)
        if loaded is not None:
            self._picture = ShownPicture(*loaded)
            self._shown, self._loaded = (path, size), now
