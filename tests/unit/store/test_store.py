"""Objects by content, manifests last, and what a crash leaves behind."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lorakit.store import atomic, seen
from lorakit.store import store as store_module
from lorakit.store.canonical import canonical, digest_of, file_digest
from lorakit.store.copies import place
from lorakit.store.journal import Addresses, Timings
from lorakit.store.store import Manifest, Output, Store, StoreError

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path)
    made.prepare()
    return made


def a_manifest(key: str, output: Output) -> Manifest:
    return Manifest(key, "frame", {"prompt": "a fox"}, {}, {"picture": output}, 1.5, {"torch": "2"})


@pytest.mark.slow
@given(st.dictionaries(st.text(), JSON, max_size=5))
def test_the_order_of_keys_does_not_count(data: dict[str, object]) -> None:
    assert digest_of(data) == digest_of(dict(reversed(data.items())))


@given(JSON)
def test_canonical_is_stable(data: object) -> None:
    assert canonical(data) == canonical(data)


@pytest.mark.parametrize(
    ("one", "other"), [(1, 1.0), (1, True), (0, False), ("1", 1), (None, "null")]
)
def test_values_that_python_calls_equal_keep_apart(one: object, other: object) -> None:
    assert digest_of([one]) != digest_of([other])


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_no_number_that_json_lacks(bad: float) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        canonical({"strength": bad})


def test_adopted_objects_are_found_by_content(store: Store) -> None:
    scratch = store.scratch()
    for name in ("one.bin", "two.bin"):
        (scratch.folder / name).write_bytes(b"the same bytes")
    first, second = (store.adopt(scratch.folder / name) for name in ("one.bin", "two.bin"))
    assert first == second
    assert store.has(first)
    assert file_digest(store.object_path(first.digest)) == first.digest
    scratch.close()
    assert not list((store.folder / "tmp").iterdir())


@pytest.mark.parametrize("keep", ["adopt", "put"])
def test_a_damaged_object_is_not_there_and_is_replaced_by_the_whole_one(
    store: Store, keep: str
) -> None:
    scratch = store.scratch()

    def kept() -> Output:
        if keep == "put":
            return store.put(b"whole")
        (scratch.folder / "a").write_bytes(b"whole")
        return store.adopt(scratch.folder / "a")

    output = kept()
    path = store.object_path(output.digest)
    for damage in (lambda: path.write_bytes(b"whale"), lambda: (path.unlink(), path.mkdir())):
        damage()
        assert not store.has(output)
        assert kept() == output
        assert store.has(output)
        assert path.read_bytes() == b"whole"
    scratch.close()


def test_what_was_verified_is_not_read_again_while_it_is_untouched(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seen, "FRESH", 0)
    output = store.put(b"whole")
    path = store.object_path(output.digest)
    assert store.has(output)
    store.remember()
    reads: list[Path] = []
    real = store_module.digest_and_identity
    monkeypatch.setattr(
        store_module,
        "digest_and_identity",
        lambda path, **named: reads.append(path) or real(path, **named),
    )
    later = Store(store.folder.parent)
    assert later.has(output)
    assert reads == []
    status = path.stat()
    path.write_bytes(b"whale")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))  # as if nothing had been
    assert not later.has(output)
    assert reads == [path]


def test_what_was_made_just_now_is_read_again(store: Store) -> None:
    """Within a tick of the disk's clock a file can change and look untouched."""
    output = store.put(b"whole")
    assert store.has(output)
    store.remember()
    assert not (store.folder / "verified.json").exists()


def test_all_objects_are_read_and_damaged_ones_removed_on_request(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seen, "FRESH", 0)
    good, bad = store.put(b"good"), store.put(b"bad")
    assert store.has(good)
    assert store.has(bad)
    store.object_path(bad.digest).write_bytes(b"BAD")
    assert store.verify() == [bad.digest]
    assert store.has(good)
    assert not store.object_path(bad.digest).exists()


def test_a_manifest_reads_back(store: Store) -> None:
    manifest = a_manifest("ab" * 32, Output("cd" * 32, 5))
    store.record(manifest)
    assert store.manifest(manifest.key) == manifest
    assert store.manifest("ef" * 32) is None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"key": "x"}', '{"outputs": {"picture": {"size": 1}}}']
)
def test_a_torn_manifest_counts_as_none(store: Store, text: str) -> None:
    path = store.actions / "ab" / f"{'ab' * 31}.json"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert store.manifest("ab" * 32) is None


def test_scratch_of_the_dead_is_cleared_and_of_the_living_kept(store: Store) -> None:
    alive = store.scratch()
    dead = store.folder / "tmp" / ("ab" * 16)
    (store.folder / "tmp" / "mine.lock").touch()
    (store.folder / "tmp" / "mine").mkdir()
    dead.mkdir()
    (dead / "half.png").write_bytes(b"x")
    dead.with_suffix(".lock").touch()
    other = store.scratch()
    assert alive.folder.is_dir()
    assert not dead.exists()
    assert (store.folder / "tmp" / "mine").is_dir()  # no run of ours calls its folder so
    alive.close()
    other.close()


def test_a_write_that_fails_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "state.json"
    atomic.write_json(target, {"old": True})

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(atomic.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        atomic.write_json(target, {"new": True})
    assert target.read_text().split() == ["{", '"old":', "true", "}"]
    assert [p.name for p in tmp_path.iterdir()] == ["state.json"]


def test_a_store_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / ".lorakit").write_text("a file where a folder should be")
    with pytest.raises(StoreError, match="cannot be written"):
        Store(tmp_path).prepare()


def test_a_copy_is_no_link(tmp_path: Path) -> None:
    source, target = tmp_path / "object", tmp_path / "run" / "frame.png"
    source.write_bytes(b"picture")
    place(source, target)
    place(source, target)
    target.write_bytes(b"scribble")
    assert source.read_bytes() == b"picture"
    assert [p.name for p in target.parent.iterdir()] == ["frame.png"]


def test_addresses_and_timings_survive_nonsense(tmp_path: Path) -> None:
    addresses = Addresses(tmp_path, "film")
    addresses.update({"a": "1", "b": "2"})
    addresses.update({"b": "3"})
    assert addresses.read() == {"a": "1", "b": "3"}
    (tmp_path / "addresses" / "film.json").write_text("not json")
    assert addresses.read() == {}
    timings = Timings(tmp_path)
    timings.learn({"frame": 1.0})
    timings.learn({"frame": 2.0})
    assert timings.read()["frame"] == pytest.approx(1.7)
