"""The runner: hands ready actions to workers, keeps what comes back, tells what happens.

One thread decides everything: it takes messages from the workers, commits results (objects, then the
manifest), finds what has become ready, and sends it out. An action's key is computed when its inputs
are there, so that a result which turns out equal to an earlier one stops the work behind it.
"""

from __future__ import annotations

import heapq
import queue
import shutil
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lorakit.execute.events import (
    ActionFinished,
    ActionProgress,
    ActionStarted,
    Ending,
    Event,
    Note,
    Outcome,
    RunFinished,
    RunStarted,
    WorkerState,
)
from lorakit.execute.run_folder import RunFolder
from lorakit.execute.workers import Inbox, WorkerHandle
from lorakit.facts.environment import differences
from lorakit.plan.actions import Action
from lorakit.plan.estimate import timing_name
from lorakit.plan.hint import what_a_change_costs
from lorakit.plan.keys import action_key
from lorakit.plan.planner import Selection
from lorakit.plan.states import Plan, State
from lorakit.plan.waves import chain_lengths
from lorakit.store.journal import Addresses, Timings
from lorakit.store.store import Manifest, Output, Store, StoreError

_OUTSTANDING = 64  # jobs a worker may hold: enough to fill its waves, few enough to stop quickly
_RESTARTS = 2
_LATENCY = 0.1  # s between looks at Ctrl-C and at the screen


@dataclass(slots=True)
class Settings:
    """How a run behaves where something goes wrong, and what it is told to stop."""

    keep_going: bool = False
    stop: Callable[[], bool] = lambda: False


@dataclass(slots=True)
class _Slot:
    """A worker and what waits for it, longest chain first."""

    name: str
    waiting: list[tuple[int, int, str]] = field(default_factory=list)
    worker: WorkerHandle | None = None
    deaths: int = 0
    ready: bool = False
    loading: str = ""


class Runner:
    """One run of one plan."""

    def __init__(
        self,
        plan: Plan,
        store: Store,
        folder: RunFolder,
        selection: Selection,
        settings: Settings,
        listener: Callable[[Event], None],
    ) -> None:
        self._plan = plan
        self._store = store
        self._folder = folder
        self._selection = selection
        self._settings = settings
        self._listener = listener
        self._began = time.monotonic()
        self._actions = {p.action.id: p.action for p in plan.actions}
        self._planned = {p.action.id: p for p in plan.actions}
        self._held = {p.action.id for p in plan.actions if p.state is State.HELD}
        self._order = {id_: n for n, id_ in enumerate(self._actions)}
        self._length = chain_lengths([p.action for p in plan.actions])
        self._behind: dict[str, list[str]] = {}
        self._waits: dict[str, set[str]] = {}
        self._outputs: dict[str, Mapping[str, Output]] = {}
        self._keys: dict[str, str] = {}
        self._running: dict[str, tuple[str, list[str]]] = {}  # id -> (key, twins)
        self._by_key: dict[str, str] = {}
        self._outcomes: dict[str, Outcome] = {}
        self._details: dict[str, str] = {}
        self._slots: dict[str, _Slot] = {}
        self._inbox: Inbox = queue.Queue()
        self._calls: Counter[str] = Counter()
        self._calls_now: dict[int, dict[str, int]] = {}
        self._busy: dict[str, tuple[float, float]] = {}  # timing name -> (seconds, units)
        self._observed: dict[str, float] = {}
        self._last_end: dict[str, float] = {}
        self._environment: dict[str, str] = {}
        self._failed = False

    # -- the run ---------------------------------------------------------------------------------

    def run(self) -> RunFinished:
        """Make everything the plan asks for; ends early on a failure or when told to stop."""
        to_make = self._plan.to_make
        self._tell(
            RunStarted, str(self._folder.path), self._plan.recipe, len(self._actions), len(to_make)
        )
        scratch = self._store.scratch()
        ending: Ending = "done"
        try:
            self._scratch = scratch.folder
            if to_make:
                self._environment = dict(self._plan.environment)
            self._begin()
            while not self._over():
                if self._settings.stop():
                    ending = "interrupted"
                    break
                self._dispatch()
                self._listen()
            if ending == "done" and self._failed:
                ending = "failed"
        except StoreError as error:
            self._tell(Note, str(error))
            ending = "failed"
        finally:
            for slot in self._slots.values():
                if slot.worker is not None:
                    slot.worker.end()
                    self._keep_calls(slot.worker)
            self._drain()
            scratch.close()
        return self._finish(ending)

    def _tell(self, kind: type[Any], *values: Any, **named: Any) -> None:
        event: Event = kind(round(time.monotonic() - self._began, 3), *values, **named)
        self._folder.tell(event)
        self._listener(event)

    def _begin(self) -> None:
        """What needs workers, and what can begin."""
        for id_, action in self._actions.items():
            if id_ in self._held:
                continue
            waits = {source.action for source in action.inputs}
            self._waits[id_] = waits
            for source in waits:
                self._behind.setdefault(source, []).append(id_)
        for planned in self._plan.to_make:
            self._slot(planned.action)
        for slot in self._slots.values():
            self._start(slot)
        for id_ in [i for i, waits in self._waits.items() if not waits]:
            self._ready(id_)

    def _over(self) -> bool:
        if self._failed and not self._settings.keep_going:
            return not any(s.worker is not None and s.worker.jobs for s in self._slots.values())
        return len(self._outcomes) + len(self._held) >= len(self._actions)

    # -- workers ---------------------------------------------------------------------------------

    def _slot(self, action: Action) -> _Slot:
        name = action.engine.slot
        if name not in self._slots:
            self._slots[name] = _Slot(name)
        return self._slots[name]

    def _start(self, slot: _Slot) -> None:
        from lorakit.facts.machine import this_machine

        render = slot.name == "render"
        lock = self._store.folder / "locks" / f"{slot.name}.lock" if render else None
        threads = this_machine().cores
        slot.ready = False
        slot.worker = WorkerHandle(slot.name, threads, lock, self._folder.log, self._inbox)
        self._tell(WorkerState, slot.name, "starting")

    def _dispatch(self) -> None:
        """Keep every worker supplied. A worker changes its engine only when it is empty."""
        if self._failed and not self._settings.keep_going:
            return
        for slot in self._slots.values():
            worker = slot.worker
            while worker is not None and slot.ready and slot.waiting:
                _, _, id_ = slot.waiting[0]
                action = self._actions[id_]
                if len(worker.jobs) >= _OUTSTANDING:
                    break
                if worker.engine_id != action.engine.id and worker.jobs:
                    other = self._of_engine(slot, worker.engine_id)
                    if other is None:
                        break
                    id_ = other
                    action = self._actions[id_]
                else:
                    heapq.heappop(slot.waiting)
                # another run may have made it since this one was planned
                if not self._forced(action) and self._reuse(id_, self._keys[id_]):
                    continue
                worker.open(action.engine)
                self._send(worker, action)

    def _of_engine(self, slot: _Slot, engine: str) -> str | None:
        """Take the first waiting action that a busy worker's engine can do."""
        for entry in sorted(slot.waiting):
            if self._actions[entry[2]].engine.id == engine:
                slot.waiting.remove(entry)
                heapq.heapify(slot.waiting)
                return entry[2]
        return None

    def _send(self, worker: WorkerHandle, action: Action) -> None:
        inputs = {
            source.role: str(
                self._store.object_path(self._outputs[source.action][source.output].digest)
            )
            for source in action.inputs
        }
        key = self._keys[action.id]
        self._running[action.id] = (key, self._running.get(action.id, (key, []))[1])
        worker.submit(
            {
                "id": action.id,
                "key": key,
                "kind": action.kind,
                "params": action.params,
                "inputs": inputs,
                "extra": action.extra,
                "out": str(self._out(action.id)),
            }
        )

    def _out(self, id_: str) -> Path:
        folder = self._scratch / f"{self._order[id_]}"
        folder.mkdir(exist_ok=True)
        return folder

    def _listen(self) -> None:
        """Take what the workers tell, all that is there, or wait a moment for it."""
        try:
            message = self._inbox.get(timeout=_LATENCY)
        except queue.Empty:
            return
        while True:
            self._hear(*message)
            try:
                message = self._inbox.get_nowait()
            except queue.Empty:
                return

    def _hear(self, worker: WorkerHandle, message: Mapping[str, Any]) -> None:
        slot = self._slots[worker.slot]
        what = message["event"]
        if what == "state":
            self._hear_state(slot, message)
        elif what == "started":
            self._tell(ActionStarted, message["id"])
        elif what == "progress":
            self._tell(ActionProgress, message["id"], message["done"], message["total"])
        elif what == "ended":
            self._calls_now[worker.pid] = dict(message.get("calls", {}))
            worker.jobs.discard(message["id"])
            if "error" in message:
                self._fail(message["id"], str(message["error"]))
            else:
                self._commit(message["id"], message, worker)
        elif what == "refused":
            self._refused(slot, worker, str(message["engine"]), str(message["error"]))
        elif what == "broken":
            self._details[worker.slot] = str(message["error"])
        elif what == "gone" and not worker.ending:
            self._gone(slot, worker, int(message["code"]))

    def _hear_state(self, slot: _Slot, message: Mapping[str, Any]) -> None:
        state = str(message["state"])
        if state == "starting":
            slot.ready = True
            return
        seconds = float(message.get("seconds", 0.0))
        detail = str(message.get("detail", ""))
        if state == "loading":
            slot.loading = detail
        if state == "ready":
            self._observed[f"load|{detail}"] = seconds
            detail = slot.loading
        self._last_end[slot.name] = time.monotonic()
        self._tell(WorkerState, slot.name, state, detail, round(seconds, 2))

    def _refused(self, slot: _Slot, worker: WorkerHandle, engine: str, error: str) -> None:
        """An engine cannot be loaded: what needs it fails, the rest goes on."""
        worker.engine_id = ""
        worker.jobs.clear()
        needing = [i for i in self._running if self._actions[i].engine.id == engine]
        slot.waiting = [e for e in slot.waiting if self._actions[e[2]].engine.id != engine]
        heapq.heapify(slot.waiting)
        for id_ in needing:
            self._fail(id_, error)

    def _gone(self, slot: _Slot, worker: WorkerHandle, code: int) -> None:
        """A worker died: start it again with what it had in hand, unless it keeps dying."""
        self._keep_calls(worker)
        slot.deaths += 1
        how = f"signal {-code}" if code < 0 else f"code {code}"
        why = self._details.pop(slot.name, "")
        if why or slot.deaths > _RESTARTS:
            reason = why or f"the {slot.name} worker ended by itself ({how})"
            if not why and code == -9:
                reason += "; was memory short? try a smaller model or picture size"
            waiting = [entry[2] for entry in slot.waiting]
            slot.waiting.clear()
            slot.worker = None
            for id_ in [*worker.jobs, *waiting]:
                self._fail(id_, reason)
            return
        self._tell(Note, f"the {slot.name} worker ended by itself ({how}); starting it again")
        for id_ in worker.jobs:
            self._enqueue(id_)
        self._start(slot)

    def _keep_calls(self, worker: WorkerHandle) -> None:
        self._calls.update(self._calls_now.pop(worker.pid, {}))

    # -- actions ---------------------------------------------------------------------------------

    def _ready(self, id_: str) -> None:
        """All inputs of an action are there: take it from the store, or queue it.

        Without recursion: ten thousand chained cached frames are one loop.
        """
        todo = [id_]
        while todo:
            current = todo.pop()
            action = self._actions[current]
            inputs = {s.role: self._outputs[s.action][s.output].digest for s in action.inputs}
            key = self._keys[current] = action_key(action, inputs)
            if not self._forced(action) and self._reuse(current, key, follow=todo):
                continue
            twin = self._by_key.get(key)
            if twin is not None and twin in self._running and not self._outcomes.get(twin):
                self._running[twin][1].append(current)
                continue
            self._by_key[key] = current
            self._running[current] = (key, [])
            self._enqueue(current)

    def _forced(self, action: Action) -> bool:
        return self._planned[action.id].forced or self._selection.forces(action)

    def _enqueue(self, id_: str) -> None:
        action = self._actions[id_]
        slot = self._slot(action)
        if slot.worker is None and slot.deaths == 0:
            self._start(slot)
        heapq.heappush(slot.waiting, (-self._length[id_], self._order[id_], id_))

    def _reuse(self, id_: str, key: str, follow: list[str] | None = None) -> bool:
        """Take an action's outputs from the store if they are there and whole."""
        manifest = self._store.manifest(key)
        if manifest is None:
            return False
        action = self._actions[id_]
        if self._selection.rebuild and differences(
            manifest.environment, self._plan.environment, action.engine.slot
        ):
            return False
        needed = set(action.files) | self._missed(id_)
        if any(
            n not in manifest.outputs or not self._store.intact(manifest.outputs[n]) for n in needed
        ):
            return False
        twins = self._running.pop(id_, (key, []))[1]
        self._settle(id_, manifest.outputs, "cached", 0.0, follow)
        for twin in twins:
            self._settle(twin, manifest.outputs, "cached", 0.0, follow)
        return True

    def _missed(self, id_: str) -> set[str]:
        """Outputs of an action that some action to be made will open."""
        return {
            source.output
            for behind in self._behind.get(id_, ())
            if self._planned[behind].state.to_make
            for source in self._actions[behind].inputs
            if source.action == id_
        }

    def _commit(self, id_: str, message: Mapping[str, Any], worker: WorkerHandle) -> None:
        """Keep a result: objects first, the manifest last."""
        action = self._actions[id_]
        key, twins = self._running.pop(id_)
        outputs = {name: self._store.adopt(Path(path)) for name, path in message["outputs"].items()}
        seconds = float(message.get("seconds", 0.0))
        inputs = {s.role: self._outputs[s.action][s.output].digest for s in action.inputs}
        self._store.record(
            Manifest(
                key,
                action.kind,
                action.params,
                inputs,
                outputs,
                round(seconds, 3),
                self._environment,
            )
        )
        shutil.rmtree(self._out(id_), ignore_errors=True)
        self._learn(action, worker)
        self._settle(id_, outputs, "made", seconds)
        for twin in twins:
            self._settle(twin, outputs, "cached", 0.0)

    def _learn(self, action: Action, worker: WorkerHandle) -> None:
        """Seconds a unit: what passed at this worker since the last thing ended there, over its units."""
        now = time.monotonic()
        passed = now - self._last_end.get(worker.slot, now)
        self._last_end[worker.slot] = now
        seconds, units = self._busy.get(timing_name(action), (0.0, 0.0))
        self._busy[timing_name(action)] = (seconds + passed, units + action.units)

    def _settle(
        self,
        id_: str,
        outputs: Mapping[str, Output],
        outcome: Outcome,
        seconds: float,
        follow: list[str] | None = None,
    ) -> None:
        """An action has its outputs: put its files in the run folder and wake what waited for it."""
        action = self._actions[id_]
        self._outputs[id_] = outputs
        self._outcomes[id_] = outcome
        files: list[str] = []
        try:
            for name, paths in action.files.items():
                self._folder.put(self._store.object_path(outputs[name].digest), paths)
                files += paths
        except OSError as error:
            raise StoreError(f"{files or action.id} cannot be written: {error.strerror}") from error
        picture = next((f for f in files if f.endswith(".png")), "")
        self._tell(
            ActionFinished,
            id_,
            outcome,
            self._keys.get(id_, ""),
            round(seconds, 3),
            tuple(files),
            picture,
        )
        for behind in self._behind.get(id_, ()):
            waits = self._waits.get(behind)
            if waits is not None:
                waits.discard(id_)
                if not waits and behind not in self._outcomes:
                    if follow is not None:
                        follow.append(behind)
                    else:
                        self._ready(behind)

    def _fail(self, id_: str, error: str) -> None:
        self._failed = True
        _, twins = self._running.pop(id_, ("", []))
        for failed in (id_, *twins):
            self._outcomes[failed] = "failed"
            self._details[failed] = error
            self._tell(ActionFinished, failed, "failed", self._keys.get(failed, ""), detail=error)
            self._skip_behind(failed)

    def _skip_behind(self, id_: str) -> None:
        line = list(self._behind.get(id_, ()))
        while line:
            current = line.pop()
            if current not in self._outcomes and current in self._waits:
                self._outcomes[current] = "skipped"
                self._tell(ActionFinished, current, "skipped", detail=f"needs {id_}, which failed")
                line += self._behind.get(current, ())

    def _drain(self) -> None:
        """What workers finished while they were being ended is kept as well."""
        while True:
            try:
                worker, message = self._inbox.get_nowait()
            except queue.Empty:
                return
            if (
                message["event"] == "ended"
                and "error" not in message
                and message["id"] in self._running
            ):
                self._commit(message["id"], message, worker)

    # -- the end ---------------------------------------------------------------------------------

    def _finish(self, ending: Ending) -> RunFinished:
        count = Counter(self._outcomes.values())
        observed = dict(self._observed)
        observed |= {name: s / u for name, (s, u) in self._busy.items() if u and s}
        if observed:
            Timings(self._store.folder).learn(observed)
        made = {i: k for i, k in self._keys.items() if self._outcomes.get(i) in ("made", "cached")}
        Addresses(self._store.folder, self._plan.recipe).update(made)
        film = self._shown("film")
        films = [a.step for a in self._actions.values() if "film" in a.files]
        finished = RunFinished(
            at=round(time.monotonic() - self._began, 3),
            ending=ending,
            folder=str(self._folder.path),
            seconds=round(time.monotonic() - self._began, 3),
            made=count["made"],
            cached=count["cached"],
            failed=count["failed"],
            skipped=len(self._actions)
            - len(self._held)
            - count["made"]
            - count["cached"]
            - count["failed"],
            calls=dict(self._calls),
            film=film,
            contact_sheet=self._shown("sheet", films[-1] if films else ""),
            hint=self._hint(),
        )
        self._folder.finish(self._manifest(finished), complete=ending == "done" and not self._held)
        self._folder.tell(finished)
        self._folder.close()
        self._listener(finished)
        return finished

    def _hint(self) -> str:
        known = {**self._plan.timings, **self._observed}
        known |= {name: s / u for name, (s, u) in self._busy.items() if u and s}
        return what_a_change_costs([p.action for p in self._plan.actions], known)

    def _shown(self, output: str, step: str = "") -> str:
        """The path of the last film or sheet that was made, of one step if there is a choice."""
        found = {
            action.step: action.files[output][0]
            for id_, action in self._actions.items()
            if id_ in self._outputs and output in action.files
        }
        path = found.get(step) or next(reversed(found.values()), "")
        return str(self._folder.path / path) if path else ""

    def _manifest(self, finished: RunFinished) -> dict[str, object]:
        return {
            "lorakit": 1,
            "recipe": self._plan.recipe,
            "ending": finished.ending,
            "seconds": finished.seconds,
            "calls": finished.calls,
            "environment": self._environment,
            "actions": [
                {
                    "id": id_,
                    "kind": action.kind,
                    "outcome": self._outcomes.get(id_, "held" if id_ in self._held else "skipped"),
                    "key": self._keys.get(id_),
                    "prompt": action.params.get("prompt"),
                    "files": [f for paths in action.files.values() for f in paths],
                    "outputs": {n: o.digest for n, o in self._outputs.get(id_, {}).items()},
                }
                for id_, action in self._actions.items()
            ],
        }
