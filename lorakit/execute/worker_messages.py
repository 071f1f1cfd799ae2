"""What workers tell while a run goes on: how far they are, what came of an action, that one is gone."""

from __future__ import annotations

import base64
import queue
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from lorakit.execute.estimates import Estimates
from lorakit.execute.events import ActionProgress, ActionStarted, Note, WorkerState
from lorakit.execute.settling import Settling
from lorakit.execute.slots import Slot, how_it_ended
from lorakit.execute.stopwatch import Stopwatch
from lorakit.execute.task_graph import TaskGraph
from lorakit.execute.workers import Inbox, WorkerHandle
from lorakit.store.errors import StoreError

_LATENCY = 0.1  # s between looks at Ctrl-C


class WorkerMessages:
    """The messages of one run's workers; `slots` are theirs by name, `inbox` is what they write to.

    `show` keeps a picture of what a worker is at, and says where.
    """

    def __init__(
        self,
        inbox: Inbox,
        slots: Mapping[str, Slot],
        graph: TaskGraph,
        settling: Settling,
        watch: Stopwatch,
        estimates: Estimates,
        tell: Callable[..., None],
        show: Callable[[str, bytes], str],
    ) -> None:
        self._inbox, self._slots, self._graph = inbox, slots, graph
        self._settling, self._watch, self._estimates = settling, watch, estimates
        self._tell, self._show = tell, show
        self._calls: dict[int, dict[str, int]] = {}  # by worker, as it last told them
        self._broken: dict[str, str] = {}

    @property
    def calls(self) -> dict[str, int]:
        """How often each network was called, in all workers together."""
        return dict(sum((Counter(calls) for calls in self._calls.values()), Counter()))

    def listen(self) -> None:
        """Take what the workers tell, all that is there, or wait a moment for it. Raises StoreError."""
        try:
            message = self._inbox.get(timeout=_LATENCY)
            while True:
                self._hear(*message)
                message = self._inbox.get_nowait()
        except queue.Empty:
            return

    def keep_late_results(self) -> None:
        """What workers finished while they were being ended is kept as well."""
        while True:
            try:
                worker, message = self._inbox.get_nowait()
            except queue.Empty:
                return
            done = message["event"] == "ended" and "error" not in message
            if worker is not None and done and message["id"] not in self._graph.outcomes:
                try:
                    self._settling.commit(message, worker.name)
                except StoreError as error:
                    self._settling.stop_for(str(error))

    def _hear(self, worker: WorkerHandle | None, message: Mapping[str, Any]) -> None:
        if worker is None:
            self._settling.brought(message["id"])
            return
        slot = self._slots[worker.name]
        match message["event"]:
            case "state":
                self._hear_state(slot, message)
            case "started":
                self._tell(ActionStarted, message["id"], slot.name)
            case "progress":
                done, total, figures = message["done"], message["total"], message["figures"]
                self._watch.progress(message["id"], done, figures.get("training_seconds"))
                self._estimates.note(self._graph.actions[message["id"]], figures)
                shown = str(message.get("preview", ""))
                picture = self._show(slot.name, base64.b64decode(shown)) if shown else ""
                self._tell(ActionProgress, message["id"], done, total, figures, picture)
            case "ended":
                self._hear_end(worker, message)
            case "note":
                self._tell(Note, str(message["text"]))
            case "refused":
                self._refuse(slot, str(message["engine"]), str(message["error"]))
            case "broken":
                self._broken[slot.name] = str(message["error"])
            case "gone" if not worker.ending:
                self._bury(slot, int(message["code"]), str(message.get("lost", "")))

    def _hear_state(self, slot: Slot, message: Mapping[str, Any]) -> None:
        state, detail = str(message["state"]), str(message.get("detail", ""))
        seconds = float(message.get("seconds", 0.0))
        if state == "starting":
            slot.ready = True
            return
        if state == "loading":
            slot.loading = detail
        elif state == "ready":
            slot.loaded = True
            self._watch.loaded(slot.name, detail, seconds)
            detail = slot.loading
        told = state, detail, round(seconds, 2), slot.name, str(message.get("where", ""))
        self._tell(WorkerState, slot.kind.name, *told)

    def _refuse(self, slot: Slot, engine: str, error: str) -> None:
        """A worker cannot load an engine: where no other of its kind can, what needs it fails."""
        lost = slot.refuse(engine)
        if not lost and len(slot.slots) > 1:
            self._tell(
                Note, f"the {slot.name} worker leaves to the others what it cannot do: {error}"
            )
        for id_ in lost:
            self._settling.fail(id_, error)

    def _hear_end(self, worker: WorkerHandle, message: Mapping[str, Any]) -> None:
        self._calls[worker.pid] = dict(message.get("calls", {}))
        worker.jobs.discard(message["id"])
        if "error" in message:
            self._settling.fail(message["id"], str(message["error"]))
        else:
            self._settling.commit(message, worker.name)
        self._slots[worker.name].retire()

    def _bury(self, slot: Slot, code: int, loss: str) -> None:
        """A worker died: what it had in hand is tried once more, unless that keeps killing workers.

        One that was lost with what it ran on has killed nobody; `loss` says how.
        """
        if loss:
            for id_, reason in slot.lose(loss).items():
                self._settling.fail(id_, reason)
            self._tell(Note, f"the {slot.name} worker was lost ({loss}); its work goes to others")
            return
        lost = slot.bury(code, self._broken.pop(slot.name, ""))
        how = f"the {slot.name} worker ended by itself ({how_it_ended(code)})"
        if slot.wants_a_worker and not lost:
            self._tell(Note, f"{how}; starting it again")
        elif len(slot.slots) > 1 and not lost:
            self._tell(Note, f"{how}; the others go on without it")
        for id_, reason in lost.items():
            self._settling.fail(id_, reason)
