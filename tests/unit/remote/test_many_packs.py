"""Packs of many runs: merged by whoever writes next, and read by who listed them before that."""

from __future__ import annotations

import hashlib
import queue
from pathlib import Path

import pytest

from lorakit.execute.bringing import Bringing
from lorakit.remote import packs, sending
from lorakit.remote.address import parse
from lorakit.remote.cache_files import LIST, PACKS
from lorakit.remote.sending import Sending
from lorakit.remote.settings import CacheSettings
from lorakit.remote.team_cache import TeamCache
from lorakit.store.manifests import Manifest
from lorakit.store.store import Store

MANY = 4  # packs that are merged into one


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "_MANY_PACKS", MANY)


def cache_at(shared: Path, kept: Path | None = None) -> TeamCache:
    settings = CacheSettings(parse(str(shared), shared), timeout=60.0, source="a test")
    cache = TeamCache(settings, kept)
    cache.look()
    return cache


def store_in(folder: Path) -> Store:
    store = Store(folder)
    store.prepare()
    return store


def pushed(shared: Path, store: Store, number: int) -> Manifest:
    """One result as one run sends it, in a pack of its own."""
    key = hashlib.sha256(b"%d" % number).hexdigest()
    output = store.put(b"picture %d" % number)
    made = Manifest(key, "frame", {"prompt": "a fox"}, {}, {"picture": output}, 1.0, {})
    way = Sending(cache_at(shared), store)
    way.send(made)
    way.finish()
    assert (way.sent, way.troubles) == (1, ())
    return made


def names(shared: Path) -> list[str]:
    return sorted(path.name for path in (shared / PACKS).iterdir())


def test_many_packs_are_merged_by_who_writes_next_and_nothing_is_lost(tmp_path: Path) -> None:
    shared, store = tmp_path / "shared", store_in(tmp_path / "mine")
    shared.mkdir()
    made = [pushed(shared, store, number) for number in range(MANY)]
    assert len(names(shared)) == MANY
    before = cache_at(shared)  # a colleague who looked before they were merged
    made.append(pushed(shared, store, MANY))
    (one,) = names(shared)
    assert (shared / LIST).read_text() == f"{one}\n"
    entries = packs.read(one, (shared / PACKS / one).read_bytes())
    assert entries.keys() == {result.key for result in made}
    # whoever looks now finds all, and who looked before goes on with what he read
    assert [cache_at(shared).manifest(result.key) for result in made] == made
    theirs = store_in(tmp_path / "theirs")
    assert not before.fetch(
        [o for r in made[:-1] for o in (before.manifest(r.key) or r).outputs.values()], theirs
    ).missing


def test_copies_of_packs_that_were_merged_go(tmp_path: Path) -> None:
    shared, store, kept = tmp_path / "shared", store_in(tmp_path / "mine"), tmp_path / "kept"
    shared.mkdir()
    for number in range(MANY):
        pushed(shared, store, number)
    cache_at(shared, kept)
    assert sorted(path.name for path in kept.iterdir()) == names(shared)
    pushed(shared, store, 1000)
    assert len(list(cache_at(shared, kept).keys)) == MANY + 1
    assert [path.name for path in kept.iterdir()] == names(shared)


def test_a_pack_that_did_not_come_is_merged_into_none(tmp_path: Path) -> None:
    """What it tells of would be lost."""
    shared, store = tmp_path / "shared", store_in(tmp_path / "mine")
    shared.mkdir()
    for number in range(MANY):
        pushed(shared, store, number)
    first = names(shared)[0]
    data = (shared / PACKS / first).read_bytes()
    (shared / PACKS / first).unlink()
    (shared / PACKS / first).mkdir()  # nobody can read it now
    other = tmp_path / "other"
    other.mkdir()
    cache = cache_at(shared)
    assert len(list(cache.keys)) == MANY - 1
    (shared / PACKS / first).rmdir()
    (shared / PACKS / first).write_bytes(data)
    key = hashlib.sha256(b"new").hexdigest()
    made = Manifest(key, "frame", {}, {}, {"picture": store.put(b"new")}, 1.0, {})
    way = Sending(cache, store)
    way.send(made)
    way.finish()
    assert len(list(cache_at(shared).keys)) == MANY + 1


def test_a_result_is_fetched_while_a_run_goes_on_and_a_damaged_one_is_not(tmp_path: Path) -> None:
    shared, store = tmp_path / "shared", store_in(tmp_path / "mine")
    shared.mkdir()
    whole, damaged = (pushed(shared, store, number) for number in (1, 2))
    digest = damaged.outputs["picture"].digest
    (shared / "objects" / digest[:2] / digest[2:]).write_bytes(b"picture 3")
    theirs, cache = store_in(tmp_path / "theirs"), cache_at(shared)
    over: queue.Queue[str] = queue.Queue()
    bringing = Bringing(cache, tmp_path / "theirs", over.put)
    for one in (whole, damaged):
        assert bringing.bring(one.key[:4], one.key, ["picture"])
    assert [over.get(timeout=60) for _ in range(2)] == [whole.key[:4], damaged.key[:4]]
    fresh = Store(tmp_path / "theirs")
    assert fresh.manifest(whole.key) == whole
    assert fresh.has(whole.outputs["picture"])
    assert fresh.manifest(damaged.key) is None
    # each is tried once, and what nobody offers is not waited for
    assert not bringing.bring("again", whole.key, ["picture"])
    assert not bringing.bring("none", "0" * 64, ["picture"])
    assert not bringing.bring("more", whole.key, ["latents"])
    assert theirs.folder == fresh.folder
