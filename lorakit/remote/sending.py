"""Results on their way to a team's cache: objects first, then packs of manifests.

A run sends what it makes beside its work, `lorakit cache push` what the store has. Where the cache cannot be
written, that is told once, and results stay here.
"""

from __future__ import annotations

import queue
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from lorakit.remote import packs
from lorakit.remote.cache_files import LIST, PACKS, object_name
from lorakit.remote.pace import Beside, GaveUp, Pace, Pulse, said
from lorakit.remote.packs import PackEntry
from lorakit.remote.team_cache import TeamCache
from lorakit.store.manifests import Manifest, Output
from lorakit.store.store import Store

_THREADS = 4
_A_PACK = 500  # results after which a pack is written while a run goes on
_EVERY = 60.0  # s after which one is
_MANY_PACKS = 32  # that are merged into one
_LATENCY = 0.1  # s between looks at Ctrl-C


class Sending:
    """The way of one command's results to a cache; whatever goes wrong on it is told in `troubles`.

    `sent` counts results, `bytes` what those of their objects took that were not there.
    """

    def __init__(self, cache: TeamCache, store: Store) -> None:
        self._cache, self._store = cache, store
        self._pulse = Pulse(cache.settings.timeout)
        self._queue: queue.SimpleQueue[Manifest] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._packing = threading.Lock()
        self._entries: dict[str, PackEntry] = {}
        self._packed = time.monotonic()
        self._pending = 0
        self._threads = 0
        self._failures = 0
        self._refused = ""
        self.sent = 0
        self.bytes = 0

    @property
    def troubles(self) -> tuple[str, ...]:
        """Why results were not sent; nothing where all were."""
        if self._refused:
            return (f"{self._url} could not be written ({self._refused}): results stay here",)
        return ()

    @property
    def _url(self) -> str:
        return self._cache.settings.address.url

    def send(self, manifest: Manifest) -> None:
        """Have a result sent, once its objects are in the store and its manifest is written."""
        if self._refused or self._cache.lost or not self._cache.settings.writable:
            return
        with self._lock:
            self._pending += 1
            more = self._threads < _THREADS
            self._threads += more
        self._queue.put(manifest)
        if more:
            threading.Thread(target=self._work, daemon=True).start()

    @property
    def pending(self) -> int:
        """How many results are still under way."""
        return self._pending

    def finish(
        self,
        stop: Callable[[], bool] = lambda: False,
        progress: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Wait until all is sent, or the cache answers no more; write the pack that tells of it."""
        self._pulse.beat()
        while self._pending and not self._refused and not stop():
            if self._pulse.stopped:
                self._refuse(TimeoutError(f"no answer within {self._pulse.timeout:g} s"))
            progress(self._pending)
            time.sleep(_LATENCY)
        if self._entries:
            try:
                for _, result in Beside([self._pack], self._pulse).results():
                    if isinstance(result, Exception):
                        self._refuse(result)
            except GaveUp as error:
                self._refuse(error)

    def _work(self) -> None:
        while True:
            manifest = self._queue.get()
            try:
                if not self._refused:
                    self._send(manifest)
                    self._failures = 0
                    if len(self._entries) >= _A_PACK or time.monotonic() - self._packed > _EVERY:
                        self._pack()
            except Exception as error:  # noqa: BLE001 - whatever a library raises, the run goes on
                self._failures += 1
                if isinstance(error, PermissionError) or self._failures >= _THREADS:
                    self._refuse(error)
                elif manifest is not None:
                    self._queue.put(manifest)
                    continue
            with self._lock:
                self._pending -= 1

    def _send(self, manifest: Manifest) -> None:
        transport = self._cache.transport()
        for output in manifest.outputs.values():
            self._put(transport.has, output)
        with self._lock:
            self._entries[manifest.key] = packs.entry(manifest, int(time.time()))
            self.sent += 1

    def _put(self, has: Callable[[str], bool], output: Output) -> None:
        name = object_name(output.digest)
        damaged = output.digest in self._cache.damaged
        if not damaged and (self._cache.has(output) or has(name)):
            self._pulse.beat()
            return
        path = self._store.object_path(output.digest)
        self._cache.transport().put(name, path, Pace(self._pulse, output.size))
        self._pulse.beat()
        with self._lock:
            self.bytes += output.size
            self._cache.damaged.discard(output.digest)

    def _pack(self) -> None:
        """Write a pack of what was sent since the last one; where there are many by then, merge them."""
        with self._packing:
            with self._lock:
                entries, self._entries = self._entries, {}
            self._packed = time.monotonic()
            if entries:
                write_packs(self._cache, entries, self._pulse)

    def _refuse(self, error: Exception) -> None:
        self._refused = self._refused or said(error)


def write_packs(
    cache: TeamCache,
    entries: Mapping[str, PackEntry],
    pulse: Pulse,
    instead_of: Sequence[str] = (),
) -> None:
    """Put packs of these entries into a cache, `instead_of` others; and the list of all. Raises OSError.

    Where there are many packs, they are merged into those that are written.
    """
    transport, gone = cache.transport(), list(instead_of)
    known = transport.names(PACKS)
    mine = set(cache.pack_names)
    if not gone and not cache.unread and len(known) >= _MANY_PACKS and mine.issuperset(known):
        entries, gone = {**cache.entries, **entries}, known
    keys, written = list(entries), set[str]()
    for start in range(0, len(keys), packs.MOST_LINES):
        part = {key: entries[key] for key in keys[start : start + packs.MOST_LINES]}
        name, data = packs.write(part, int(time.time()))
        put_bytes(cache, f"{PACKS}/{name}", data, pulse)
        written.add(name)
    for name in set(gone) - written:
        transport.remove(f"{PACKS}/{name}")
    names = sorted(name for name in transport.names(PACKS) if packs.NAME.match(name))
    put_bytes(cache, LIST, "".join(f"{name}\n" for name in names).encode(), pulse)


def put_bytes(cache: TeamCache, name: str, data: bytes, pulse: Pulse) -> None:
    """Put a small file into a cache. Raises OSError."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(data)
        cache.transport().put(name, path, Pace(pulse, len(data)))
    pulse.beat()


def unsent(cache: TeamCache, store: Store, keys: Iterable[str]) -> tuple[list[Manifest], int]:
    """The results among these keys that a cache lacks and the store has whole; how many it has not whole."""
    found, torn = [], 0
    for key in keys:
        manifest = store.manifest(key)
        if manifest is None:
            continue
        theirs = cache.manifest(key)
        if theirs is not None and all(map(cache.has, theirs.outputs.values())):
            continue
        if all(map(store.has, manifest.outputs.values())):
            found.append(manifest)
        else:
            torn += 1
    return found, torn
