"""Round after round: read what was saved, plan, and run; a save meanwhile stops the run and begins anew."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from lorakit.diagnostics import Diagnostic, InvalidDocument, LorakitError
from lorakit.language.locks import FILE as LOCK
from lorakit.pages.run_page import tone_of
from lorakit.plan import numbers
from lorakit.plan.engine_specs import DrawingSpec
from lorakit.store.store import Store
from lorakit.watch.files import Follower, NotingReader, Watched, now
from lorakit.watch.shown import Shown

if TYPE_CHECKING:
    from lorakit.execute.events import Event, RunFinished
    from lorakit.execute.pool import Workers
    from lorakit.plan.selection import Selection
    from lorakit.plan.states import Plan
    from lorakit.session import Session

_PATIENCE = 0.1  # s between two looks at Ctrl-C
Open = Callable[[NotingReader], "tuple[Session, Selection]"]


class View(Protocol):
    """The terminal: what was saved, what is wrong, how a run goes."""

    def reading(self) -> None:
        """A round begins."""
        ...

    def invalid(self, error: LorakitError) -> None:
        """The documents cannot be run as they are."""
        ...

    def run(self, plan: Plan) -> AbstractContextManager[Callable[[Event], None]]:
        """A run begins; its events are handed to what this gives."""
        ...

    def ended(self, finished: RunFinished, *, anew: bool) -> None:
        """It is over; `anew` where a save stopped it."""
        ...


class Rounds:
    """All rounds of one document, until `stop` says so."""

    def __init__(
        self,
        read: Open,
        shown: Shown,
        view: View,
        workers: Workers,
        stop: Callable[[], bool],
    ) -> None:
        self._read, self._shown, self._view = read, shown, view
        self._workers, self._stop = workers, stop
        self._saved = threading.Event()
        self._watched = Watched()  # of the last round that could be planned
        self._follower = Follower(self._saved.set)

    def run(self) -> None:
        """The first round at once, others as files are saved."""
        try:
            self._saved.set()
            while not self._stop():
                if self._saved.wait(_PATIENCE):
                    self._saved.clear()
                    self._round()
        finally:
            self._follower.close()

    def _round(self) -> None:
        self._view.reading()
        try:
            reader = NotingReader()
        except OSError as error:
            raise LorakitError("the folder that it was started in was removed") from error
        # what changes from here on is another save
        self._watched = self._watched.again()
        try:
            session, selection = self._read(reader)
            self._follower.follow(self._watched.joined(Watched(reader.asked)))
            plan = session.plan(selection, download=True)
            session.lock_missing()
        except LorakitError as error:
            self._broken(reader, error)
        else:
            self._watched = _led_to(reader, session, plan)
            self._follower.follow(self._watched)
            self._drawn(session, selection, plan)

    def _broken(self, reader: NotingReader, error: LorakitError) -> None:
        """Say what is wrong, and wait for it to be mended; what was watched before may be what mends it."""
        self._follower.follow(self._watched.joined(Watched(reader.asked)))
        found = (
            error.diagnostics
            if isinstance(error, InvalidDocument)
            else (Diagnostic("error", str(error)),)
        )
        errors = sum(one.severity == "error" for one in found)
        words = numbers.count(errors, "error")
        pictures = "; the pictures are from before" if self._shown.folder else ""
        self._shown.findings(found, f"{words} to mend{pictures}", "failed")
        self._view.invalid(error)

    def _drawn(self, session: Session, selection: Selection, plan: Plan) -> None:
        shown = self._shown
        count = len(plan.to_make)
        shown.findings(
            (), f"{numbers.count(count, 'thing')} to make" if count else "up to date", ""
        )

        def stop() -> bool:
            return self._stop() or self._saved.is_set()

        try:
            with self._view.run(plan) as tell:

                def listen(event: Event) -> None:
                    shown.handle(event)
                    tell(event)

                finished = session.run(
                    selection, stop=stop, listener=listen, plan=plan, workers=self._workers
                )
        except LorakitError as error:
            shown.findings([Diagnostic("error", str(error))], "the run failed", "failed")
            self._view.invalid(error)
            return
        anew = finished.ending == "interrupted" and not self._stop()
        shown.say(_words(finished, anew=anew), tone_of(finished.ending))
        self._view.ended(finished, anew=anew)
        if finished.ending == "done":
            self._warm(session, plan)

    def _warm(self, session: Session, plan: Plan) -> None:
        """Have the model that draws loaded before it is asked for, unless it is made here first."""
        for planned in plan.actions:
            engine = planned.action.engine
            spec = engine.spec
            if not isinstance(spec, DrawingSpec):
                continue
            if not any(path.startswith("input:") for path in spec.adapter_paths):
                from lorakit.execute.jobs import reads

                read = reads(plan.sources, Store(session.project.home), spec.to_json())
                self._workers.warm(engine, read)
                return


def _words(finished: RunFinished, *, anew: bool) -> str:
    if anew:
        return "saved: begins anew"
    if finished.ending == "failed":
        return f"{numbers.count(finished.failed, 'thing')} failed"
    if finished.ending == "interrupted":
        return "interrupted"
    if not finished.made:
        return "up to date"
    return f"{finished.made} made in {numbers.duration(finished.seconds)}"


def _led_to(reader: NotingReader, session: Session, plan: Plan) -> Watched:
    """All that a plan was made of: documents, files of models, adapters and data, and folders of data."""
    project = session.project
    lock = project.root / LOCK
    files = {lock: now(lock), **reader.asked}
    files |= {Path(path): seen for path, (_, seen) in plan.sources.files.items()}
    named = (Path(s.texts or s.images) for s in project.recipe.datasets.values())
    return Watched(files, frozenset(path for path in named if path.is_absolute() and path.is_dir()))
