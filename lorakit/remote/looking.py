"""The cache of a project, looked at: what each command begins with that has to do with one."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import TYPE_CHECKING

from lorakit.remote.settings import CacheSettings, cache_settings
from lorakit.store.store import Store

if TYPE_CHECKING:
    from lorakit.remote.team_cache import TeamCache

_FOLDER = "remote"  # of a store: packs of manifests that were read
_ASK_AGAIN = 60.0  # s for which a cache that did not answer is left alone
_lost: dict[str, tuple[float, str]] = {}


def looked_at(root: Path, store: Store) -> TeamCache | None:
    """The cache of the project at `root`, after a look at what it offers; None where there is none.

    One that did not answer is not asked again for a minute. Raises InvalidDocument, LorakitError.
    """
    settings = cache_settings(root)
    return None if settings is None else look(settings, store)


def look(settings: CacheSettings, store: Store) -> TeamCache:
    """A cache, after a look at what it offers."""
    from lorakit.remote.team_cache import TeamCache

    url = settings.address.url
    kept = store.folder / _FOLDER / hashlib.sha256(url.encode()).hexdigest()[:16]
    if any(path.is_symlink() for path in (kept, kept.parent)):
        kept = None  # type: ignore[assignment]
    elif store.folder.is_dir():
        kept.parent.mkdir(exist_ok=True)
    cache = TeamCache(settings, kept)
    since, why = _lost.get(url, (0.0, ""))
    if why and time.monotonic() - since < _ASK_AGAIN:
        cache.give_up(OSError(why))
        return cache
    cache.look()
    if cache.lost:
        _lost[url] = time.monotonic(), cache.lost
    else:
        _lost.pop(url, None)
    return cache
