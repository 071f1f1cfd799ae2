"""What a project's store may let go: all that no kept run, no latest run and no document leads to.

Roots are the runs that are marked, the latest run of each recipe, and the plans of all documents; where a
document cannot be planned, all that was last made of any. Manifests of what was last made stay in any case,
so that a plan can still say what has changed.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lorakit.execute import past_runs
from lorakit.execute.events import EVENTS
from lorakit.execute.past_runs import PastRun
from lorakit.execute.run_folder import MANIFEST, OUTPUTS
from lorakit.files import open_regular, read_regular
from lorakit.language.found import documents_below
from lorakit.plan.states import Plan, State
from lorakit.store import scratch
from lorakit.store.errors import StoreError, why
from lorakit.store.journal import Addresses
from lorakit.store.manifests import is_digest
from lorakit.store.sources import texts_in
from lorakit.store.store import Store
from lorakit.store.walking import stored
from lorakit.upkeep.standing import opened, planned

_OBJECT = re.compile(r"[0-9a-f]{62}\Z")
_HALF = re.compile(r"\.[0-9a-f]{32}\.(tmp|part)\Z")
_MOST = 500_000_000  # bytes of a run's manifest
# s; what no manifest names yet may be a picture that a plan has just put there, or half a result
_YOUNG = 600.0
# so long a training that was killed can be gone on with, by whatever words it was begun
CHECKPOINT_DAYS = 7
Files = dict[Path, int]  # with their bytes


@dataclass(slots=True)
class Garbage:
    """What may go, with its bytes, and what keeps the rest: runs, documents, and those without a plan."""

    objects: Files = field(default_factory=dict)
    manifests: Files = field(default_factory=dict)
    checkpoints: Files = field(default_factory=dict)  # folders
    unfinished: Files = field(default_factory=dict)  # folders of runs that were killed
    runs: list[PastRun] = field(default_factory=list)
    run_sizes: Files = field(default_factory=dict)
    kept_runs: list[PastRun] = field(default_factory=list)
    documents: list[Path] = field(default_factory=list)
    troubles: dict[Path, str] = field(default_factory=dict)
    young_checkpoints: Files = field(default_factory=dict)

    @property
    def parts(self) -> dict[str, Files]:
        """What may go by its sort."""
        return {
            "objects": self.objects,
            "manifests": self.manifests,
            "checkpoints": self.checkpoints,
            "unfinished": self.unfinished,
            "runs": self.run_sizes,
        }

    @property
    def size(self) -> int:
        """The bytes of all of it."""
        return sum(sum(files.values()) for files in self.parts.values())


def find(home: Path, *, older: float | None, tell: Callable[[str], None]) -> Garbage:
    """What may go from a project's store, and runs that began more than so many seconds ago.

    `tell` is called with what is looked at. Raises StoreError where a folder of the store is a link.
    """
    store, found = Store(home), Garbage()
    store.refuse_linked_folders()
    now = time.time()
    living = {str(one.get("folder", "")) for one in scratch.living(store.folder)}
    runs = past_runs.runs_of(home, living)
    latest = past_runs.latest_runs(runs)
    for run in runs:
        if run.kept or run.path in latest or run.state == past_runs.GOING_ON:
            found.kept_runs.append(run)
        elif older is not None and now - run.began > older:
            found.runs.append(run)
            found.run_sizes[run.path] = run.size()
    roots = _Roots()
    for run in found.kept_runs:
        roots.of_run(run.path)
    _plans(home, store, found, roots, tell)
    tell("the store")
    _sweep(store, roots, found, now)
    return found


def remove(home: Path, *, older: float | None, tell: Callable[[str], None]) -> Garbage:
    """Find it and remove it, while no run is going on and none begins. Raises StoreError."""
    store = Store(home)
    store.refuse_linked_folders()
    try:
        with scratch.swept(store.folder) as mine:
            if not mine:
                raise StoreError("another `lorakit gc` is clearing this store: wait for its end")
            going = scratch.living(store.folder)
            if going:
                name = going[0].get("recipe") or "a run"
                raise StoreError(
                    f"{name} is running, and needs what is in the store: clear it when that is over"
                )
            found = find(home, older=older, tell=tell)
            _remove(found)
            scratch.clear(store.folder)
            return found
    except OSError as error:
        raise StoreError(f"{store.folder} cannot be cleared: {why(error)}") from error


def _remove(found: Garbage) -> None:
    for run in found.runs:
        past_runs.remove(run)
    for folder in found.checkpoints:
        shutil.rmtree(folder)
    # manifests first: what has one is whole
    for file in (*found.manifests, *found.objects):
        file.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # others are in it
            file.parent.rmdir()


class _Roots:
    """What must stay: keys of results, digests of files, and keys whose manifests alone must."""

    def __init__(self) -> None:
        self.keys: set[str] = set()
        self.digests: set[str] = set()
        self.told: set[str] = set()

    def of_run(self, folder: Path) -> None:
        """All that a run made or took; of one that was killed what had ended."""
        try:
            actions = json.loads(read_regular(folder / MANIFEST, _MOST))["actions"]
            for action in actions:
                self.keys.update(key for key in [action["key"]] if key)
                self.digests.update(action["outputs"].values())
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            with contextlib.suppress(OSError), open_regular(folder / EVENTS) as lines:
                for line in lines:
                    self._of_event(line)

    def _of_event(self, line: bytes) -> None:
        with contextlib.suppress(ValueError, TypeError, AttributeError, RecursionError):
            self.keys.add(json.loads(line).get("key", ""))

    def of_plan(self, plan: Plan, last: dict[str, str]) -> None:
        """All that a plan names; of what has no key yet what was last made at its address."""
        for one in plan.actions:
            if one.action.held is not None:  # what was approved stays until it is released
                self.keys.add(one.action.held.key)
            if one.key is not None:
                self.keys.add(one.key)
            if one.key is None or one.state is State.WAITS:
                self.keys.update(last[id_] for id_ in [one.action.id] if id_ in last)
            self.digests.update((one.outputs or {}).values())
            # pictures of tables are in the store, and named by content
            self.digests.update(t for t in texts_in(one.action.task.key()) if is_digest(t))


def _plans(
    home: Path, store: Store, found: Garbage, roots: _Roots, tell: Callable[[str], None]
) -> None:
    for path, session in opened(documents_below(home, besides=home / OUTPUTS)):
        if not isinstance(session, str) and session.project.home != home:
            continue  # of a project within this one
        tell(path.name)
        plan = planned(session)
        if isinstance(plan, str):
            found.troubles[path] = plan
        else:
            found.documents.append(path)
            roots.of_plan(plan, Addresses(store.folder, plan.recipe).read())
    for file in (store.folder / "addresses").glob("*.json"):
        keys = set(Addresses(store.folder, file.stem).read().values())
        roots.told |= keys
        if found.troubles:
            roots.keys |= keys


def _sweep(store: Store, roots: _Roots, found: Garbage, now: float) -> None:
    named: set[str] = set()
    for name, file, size, _ in _files(store.actions):
        key = name.removesuffix(".json")
        manifest = store.manifest(key)
        if manifest is not None:
            digests = {output.digest for output in manifest.outputs.values()}
            named |= digests
            if key in roots.keys:
                roots.digests |= digests | set(manifest.inputs.values())
        if manifest is None or not (key in roots.keys or key in roots.told):
            found.manifests[file] = size
    for digest, file, size, touched in _files(store.objects):
        if _OBJECT.match(file.name):
            young = digest not in named and now - touched < _YOUNG
            if digest not in roots.digests and not young:
                found.objects[file] = size
        elif _HALF.match(file.name) and now - touched > _YOUNG:
            found.objects[file] = size  # of a write that a kill cut short
    with contextlib.suppress(OSError), os.scandir(store.folder / "checkpoints") as entries:
        for entry in entries:
            if not is_digest(entry.name) or not entry.is_dir(follow_symlinks=False):
                continue
            if entry.name in roots.keys:
                continue
            files = _stats(Path(entry.path))
            young = max((s.st_mtime for s in files), default=0.0) > now - CHECKPOINT_DAYS * 86_400
            into = found.young_checkpoints if young else found.checkpoints
            into[Path(entry.path)] = sum(s.st_size for s in files)
    for folder in scratch.left_behind(store.folder):
        found.unfinished[folder] = sum(s.st_size for s in _stats(folder))


def _stats(folder: Path) -> list[os.stat_result]:
    return [path.lstat() for path in folder.rglob("*") if not path.is_dir()]


def _files(folder: Path) -> Iterator[tuple[str, Path, int, float]]:
    """The files of a part of the store, with their bytes and when they were touched; no links."""
    for name, path, status in stored(folder):
        if stat.S_ISREG(status.st_mode):
            yield name, path, status.st_size, max(status.st_mtime, status.st_ctime)
