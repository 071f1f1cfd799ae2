"""A node's disk does not fill up, and what a worker uses is never taken from it."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from lorakit.cluster.blobs import Blobs
from lorakit.cluster.node_disk import NodeDisk
from lorakit.store import scratch

SIZE = 1000


def take(disk: NodeDisk, *names: str) -> dict[str, str]:
    """Have a worker fetch files; their digests by name."""
    blobs = Blobs(disk, shared=False)
    digests = {}
    for name in names:
        content = name.encode().ljust(SIZE)
        digests[name] = hashlib.sha256(content).hexdigest()
        assert blobs.take(digests[name], content, last=True)
    blobs.laid_out({f"/{name}": digest for name, digest in digests.items()})
    return digests


def here(folder: Path) -> set[bytes]:
    return {path.read_bytes().strip() for path in folder.glob("blobs/*/*")}


def used_at(folder: Path, digest: str, time: int) -> None:
    os.utime(folder / "used" / digest, (time, time))


def test_what_was_used_longest_ago_goes_when_a_worker_ends(tmp_path: Path) -> None:
    worker = NodeDisk(tmp_path, 2 * SIZE)
    digests = take(worker, "a", "b", "c", "d")
    assert here(tmp_path) == {b"a", b"b", b"c", b"d"}  # it uses them all
    for time, name in enumerate("bdac"):
        used_at(tmp_path, digests[name], time)
    worker.close()
    assert here(tmp_path) == {b"a", b"c"}
    assert {p.name for p in (tmp_path / "used").iterdir()} == {digests["a"], digests["c"]}
    assert not list((tmp_path / "tmp").iterdir())  # nor are its trees


def test_to_be_asked_for_again_is_to_be_used(tmp_path: Path) -> None:
    first = NodeDisk(tmp_path, 2 * SIZE)
    digests = take(first, "a", "b")
    first.close()
    for time, name in enumerate("ab"):
        used_at(tmp_path, digests[name], time)
    before = first.blob(digests["a"]).stat()
    second = NodeDisk(tmp_path, 2 * SIZE)
    second.use([digests["a"]])
    take(second, "c")
    second.close()
    assert here(tmp_path) == {b"a", b"c"}
    # a worker that has it open would take a touched file for a changed one
    assert first.blob(digests["a"]).stat().st_ctime_ns == before.st_ctime_ns


def test_what_a_worker_uses_stays_while_another_comes_and_goes(tmp_path: Path) -> None:
    worker = NodeDisk(tmp_path, 0)
    digests = take(worker, "a")
    used_at(tmp_path, digests["a"], 0)
    other = NodeDisk(tmp_path, 0)
    take(other, "b")
    other.close()
    assert here(tmp_path) == {b"a"}
    assert next(worker.own.glob("trees/*/a")).read_bytes().strip() == b"a"
    worker.close()
    assert here(tmp_path) == set()


def test_while_files_come_others_make_room(tmp_path: Path) -> None:
    NodeDisk(tmp_path, 2 * SIZE).close()
    old = NodeDisk(tmp_path, 2 * SIZE)
    take(old, "a", "b")
    old.close()
    worker = NodeDisk(tmp_path, 2 * SIZE)
    take(worker, "c", "d")
    assert here(tmp_path) == {b"c", b"d"}
    worker.close()


def test_what_a_dead_worker_left_goes_with_the_next(tmp_path: Path) -> None:
    dead = NodeDisk(tmp_path, 0)
    take(dead, "a")
    assert dead._scratch is not None
    dead._scratch._lock.release()  # as the kernel does
    NodeDisk(tmp_path, 0).close()
    assert here(tmp_path) == set()
    assert not dead.own.exists()


def test_on_a_disk_without_locks_a_worker_removes_its_own_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(*_: object) -> scratch.Scratch:
        raise NotImplementedError

    monkeypatch.setattr(scratch, "fresh", no_locks)
    worker = NodeDisk(tmp_path, 0)
    take(worker, "a")
    worker.close()
    assert here(tmp_path) == {b"a"}
    assert not worker.own.exists()
