"""A run for an agent: made by a thread, told as it goes, stopped at a frame when the agent says so."""

from __future__ import annotations

import io
import threading
from collections.abc import Awaitable, Callable

import anyio
import anyio.to_thread

from lorakit import terminal
from lorakit.cli.mcp.inside import WIDE
from lorakit.cli.options import Request
from lorakit.diagnostics import LorakitError
from lorakit.execute.events import RunFinished
from lorakit.execute.pool import Workers
from lorakit.ui.outline import show
from lorakit.ui.progress import Progress
from lorakit.ui.summary import summary

_EVERY = 0.25  # s between looks at how far it is

Tell = Callable[[float, float, str], Awaitable[None]]


class Run:
    """One run that was asked for; `tell` is handed actions that are through, of how many, and a line."""

    def __init__(self, asked: Request, workers: Workers, tell: Tell, *, keep_going: bool) -> None:
        self._asked, self._workers, self._tell, self._keep_going = asked, workers, tell, keep_going
        self._stop = threading.Event()
        self._progress: Progress | None = None
        self._said = (-1, "")

    async def made(self) -> str:
        """Make it, and say what came of it. Raises LorakitError, also where something failed.

        Cancelled, it waits for the frame that is drawn: what was made is kept.
        """
        failed: Exception | None = None
        async with anyio.create_task_group() as group:
            group.start_soon(self._watch)
            try:
                # it is not interrupted: the watch, which is, tells it to stop
                finished, words = await anyio.to_thread.run_sync(self._make)
            except Exception as error:  # noqa: BLE001 - a group would raise it in a group
                failed = error
            group.cancel_scope.cancel()
        if failed is not None:
            raise failed
        await self._report()
        if finished.ending != "done":
            raise LorakitError(words)
        return words

    async def _watch(self) -> None:
        try:
            while True:
                await anyio.sleep(_EVERY)
                await self._report()
        finally:
            self._stop.set()

    async def _report(self) -> None:
        progress = self._progress
        if progress is None:
            return
        now = progress.current
        done, line = progress.done, terminal.line(f"now {now.id}" if now else "")
        if (done, line) != self._said:
            self._said = (done, line)
            await self._tell(float(done), float(progress.total), line)

    def _make(self) -> tuple[RunFinished, str]:
        session, selection = self._asked.open()
        plan = session.plan(selection, download=True)
        session.lock_missing()
        self._asked.check_reach(plan, session.project)
        progress = self._progress = Progress(plan)
        finished = session.run(
            selection,
            keep_going=self._keep_going,
            stop=self._stop.is_set,
            listener=progress.handle,
            plan=plan,
            workers=self._workers,
        )
        text = io.StringIO()
        show(terminal.console(text, width=WIDE), (("", "", line) for line in summary(progress)))
        return finished, text.getvalue()
