"""A project's cache, looked after by hand: what it has, what is sent and fetched, what may go from it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from lorakit.diagnostics import LorakitError
from lorakit.execute.run_folder import OUTPUTS
from lorakit.language.found import documents_below
from lorakit.records import record
from lorakit.remote import looking, sending
from lorakit.remote.cache_files import object_name
from lorakit.remote.pace import Beside, said
from lorakit.remote.packs import PackEntry
from lorakit.remote.settings import FILE, VARIABLE, CacheSettings, cache_settings
from lorakit.remote.team_cache import TeamCache
from lorakit.store.store import Store
from lorakit.store.walking import stored
from lorakit.upkeep.standing import opened, planned

_YOUNG = 86_400.0  # s; what no manifest names yet may be on its way

Progress = Callable[[int, int], None]


@record
class CacheState:
    """A cache beside a store: what it offers, and what of the store it lacks."""

    url: str
    source: str
    mode: str
    why: str
    policy: str
    reached: bool
    results: int
    packs: int
    unsent: int
    unsent_bytes: int
    torn: int
    troubles: tuple[str, ...]


@dataclass(slots=True)
class Moved:
    """What a push or a pull came to: results, and objects' bytes that were moved; what kept the rest."""

    url: str
    results: int = 0
    bytes: int = 0
    torn: int = 0
    left: int = 0
    seconds: float = 0.0
    troubles: tuple[str, ...] = ()


@dataclass(slots=True)
class CacheGarbage:
    """What may go from a cache, and what stays; files with their bytes."""

    url: str
    results: int = 0
    kept: int = 0
    objects: dict[str, int] = field(default_factory=dict)
    removed: bool = False
    troubles: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        """The bytes of what may go."""
        return sum(self.objects.values())


def reached(home: Path) -> TeamCache:
    """The cache of the project at `home`, looked at. Raises LorakitError where there is none."""
    settings = cache_settings(home)
    if settings is None:
        raise LorakitError(
            f"no cache is named: write cache: s3://bucket/lorakit (or a folder) into {FILE} beside your "
            f"recipes, into your config, or into {VARIABLE}"
        )
    return looking.look(settings, Store(home))


def state(home: Path) -> CacheState:
    """How a project's cache stands."""
    cache, store = reached(home), Store(home)
    unsent, torn = sending.unsent(cache, store, _keys(store)) if not cache.lost else ([], 0)
    account = cache.account()
    store.remember()
    return CacheState(
        account.url,
        account.source,
        account.mode,
        account.why,
        account.policy,
        not cache.lost,
        account.results,
        len(cache.pack_names),
        len(unsent),
        sum({o.digest: o.size for m in unsent for o in m.outputs.values()}.values()),
        torn,
        account.troubles,
    )


def push(home: Path, progress: Progress, stop: Callable[[], bool]) -> Moved:
    """Send all results that the store has whole and the cache lacks. Raises LorakitError."""
    cache, store, began = reached(home), Store(home), time.monotonic()
    _check(cache, cache.settings)
    found, torn = sending.unsent(cache, store, _keys(store))
    store.remember()
    way = sending.Sending(cache, store)
    for manifest in found:
        way.send(manifest)
    way.finish(stop, lambda left: progress(len(found) - left, len(found)))
    progress(len(found), len(found))
    return Moved(
        cache.settings.address.url,
        way.sent,
        way.bytes,
        torn,
        len(found) - way.sent,
        time.monotonic() - began,
        (*cache.troubles, *way.troubles),
    )


def pull(
    home: Path, documents: Iterable[Path], progress: Progress, stop: Callable[[], bool]
) -> Moved:
    """Fetch what runs of these documents would, or of all that the project has. Raises LorakitError."""
    cache, began = reached(home), time.monotonic()
    moved = Moved(cache.settings.address.url)
    troubles: list[str] = []
    if cache.lost:
        raise LorakitError(f"{moved.url}: {cache.troubles[0]}")
    chosen = list(documents)
    for path, session in opened(chosen or documents_below(home, besides=home / OUTPUTS)):
        plan = planned(session)
        if isinstance(plan, str) or isinstance(session, str):
            troubles.append(f"{path.name} cannot be planned: {plan}")
            continue
        results = sum(p.offer is not None or bool(p.fetch) for p in plan.actions)
        plan = session.fetched(plan, progress=progress, stop=stop, copy=True)
        own = plan.offers
        if isinstance(own, TeamCache):
            moved.results += results
            moved.bytes += own.fetched.bytes
            troubles += own.troubles
    moved.troubles = tuple(dict.fromkeys(troubles))
    moved.seconds = time.monotonic() - began
    return moved


def clear(home: Path, older: float, *, remove: bool, progress: Progress) -> CacheGarbage:
    """Find, or `remove`, results that were put there longer ago than so many seconds, and objects of none.

    Raises LorakitError.
    """
    cache, now = reached(home), time.time()
    _check(cache, cache.settings)
    found = CacheGarbage(cache.settings.address.url)
    if cache.unread:
        raise LorakitError(f"{found.url} could not be read whole, so nothing of it may go")
    stays = {key: one for key, one in cache.entries.items() if now - one.written <= older}
    whole = (one.manifest(key) for key, one in stays.items())
    named = {
        object_name(output.digest)
        for manifest in whole
        if manifest is not None
        for output in manifest.outputs.values()
    }
    found.kept, found.results = len(stays), len(cache.entries) - len(stays)
    try:
        ((_, files),) = list(
            Beside([lambda: cache.transport().files("objects")], cache.pulse).results()
        )
    except OSError as error:
        raise LorakitError(f"{found.url}: {said(error)}") from error
    if isinstance(files, Exception):
        raise LorakitError(f"{found.url}: {said(files)}") from files
    for name, told in files.items():
        if name not in named and not (told.written and now - told.written < min(_YOUNG, older)):
            found.objects[name] = told.size
    if remove:
        _remove(cache, stays, found, progress)
    found.troubles = tuple(cache.troubles)
    return found


def _remove(
    cache: TeamCache, stays: Mapping[str, PackEntry], found: CacheGarbage, progress: Progress
) -> None:
    transport = cache.transport()
    old = cache.pack_names
    try:
        # manifests first: what has one is whole
        sending.write_packs(cache, stays, cache.pulse, instead_of=old)
        names = list(found.objects)
        work = [lambda name=name: transport.remove(name) for name in names]
        for done, (_, result) in enumerate(Beside(work, cache.pulse).results(), 1):
            if isinstance(result, Exception):
                cache.troubles.append(f"an object could not be removed: {said(result)}")
            progress(done, len(names))
    except Exception as error:
        raise LorakitError(f"{found.url} could not be cleared: {said(error)}") from error
    found.removed = True


def _keys(store: Store) -> list[str]:
    return sorted(name.removesuffix(".json") for name, _, _ in stored(store.actions))


def _check(cache: TeamCache, settings: CacheSettings) -> None:
    url = settings.address.url
    if cache.lost:
        raise LorakitError(f"{url}: {cache.troubles[0]}")
    if not settings.writable:
        raise LorakitError(f"{url} is {settings.why_read}")


def as_json(told: CacheState | Moved | CacheGarbage) -> dict[str, object]:
    """Any of these as JSON data; of garbage the number of objects and their bytes."""
    data = asdict(told)
    if isinstance(told, CacheGarbage):
        data["objects"], data["bytes"] = len(told.objects), told.bytes
    return data
