"""A project's lock: held against what is here, and written anew."""

from __future__ import annotations

from lorakit.diagnostics import InvalidDocument
from lorakit.facts import pins
from lorakit.facts.files.digests import Digests
from lorakit.facts.gather import gather
from lorakit.language import locks
from lorakit.language.recipe.project import Project
from lorakit.store.store import FOLDER


def check_lock(written: Project, lock: locks.Lock) -> None:
    """Raises InvalidDocument where a project, as `written`, stands on what its lock does not name so."""
    found = list(pins.differences(written, lock, _digests(written)))
    if found:
        raise InvalidDocument(found)


def lock_sources(
    written: Project, pinned: Project, lock: locks.Lock, *, move: bool, fetch: bool
) -> locks.Lock:
    """Write the pins that the lock lacks, or `move` all of them to what the hub has now; gives the lock.

    `pinned` is the project at the commits of the lock. With `fetch` what is not here yet is downloaded
    first. Raises InvalidDocument, LorakitError.
    """
    settled = locks.pinned(written, pins.newest(written)) if move else pinned
    if fetch:
        gather(settled, download=True, keys=False)
    found = pins.pins_of(written, settled, _digests(written), ask=fetch)
    after = lock.moved(found) if move else lock.with_missing(found)
    if after != lock:
        pins.save(written.root, after)
    return after


def _digests(project: Project) -> Digests:
    return Digests(project.home / FOLDER / "digests.json")
