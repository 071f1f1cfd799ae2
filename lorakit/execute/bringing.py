"""Results that turn out to be in the team's cache while a run goes on, fetched beside its work.

A plan knows the keys of what follows from what is made already. What comes after something that is made in
the run has its key only then, and a colleague may have made it.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from lorakit.remote.team_cache import TeamCache
from lorakit.store.errors import StoreError
from lorakit.store.manifests import Manifest
from lorakit.store.store import Store


class Bringing:
    """Fetches results one after another; `brought` is called with an action's id once its turn is over."""

    def __init__(self, cache: TeamCache, home: Path, brought: Callable[[str], None]) -> None:
        self._cache, self._home, self._brought = cache, home, brought
        self._queue: queue.SimpleQueue[tuple[str, Manifest, tuple[str, ...]]] = queue.SimpleQueue()
        self._asked: set[str] = set()
        self._thread: threading.Thread | None = None

    def bring(self, id_: str, key: str, needed: Iterable[str]) -> bool:
        """Whether a result is being fetched for an action, of which somebody needs these outputs."""
        manifest = self._cache.manifest(key)
        names = tuple(needed)
        if key in self._asked or manifest is None:
            return False
        if not all(n in manifest.outputs and self._cache.has(manifest.outputs[n]) for n in names):
            return False
        self._asked.add(key)
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, daemon=True)
            self._thread.start()
        self._queue.put((id_, manifest, names))
        return True

    def _work(self) -> None:
        store = Store(
            self._home
        )  # one's own: the run's remembers what it verified on its own thread
        while True:
            id_, manifest, names = self._queue.get()
            try:
                outputs = [manifest.outputs[name] for name in names]
                if not self._cache.fetch(outputs, store).missing:
                    store.record(manifest)
            except StoreError:
                pass  # the run meets it as well, and says so
            finally:
                self._brought(id_)
