"""Which runs are alive, and how clearing the store and beginning a run exclude each other."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

from lorakit.store import scratch
from lorakit.store.store import Store


def test_who_is_alive_is_known_by_the_lock_alone(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert scratch.living(store.folder) == []
    store.prepare()
    one, other = store.scratch({"folder": "a"}), store.scratch()
    assert sorted(map(str, scratch.living(store.folder))) == ["{'folder': 'a'}", "{}"]
    other.close()
    assert scratch.living(store.folder) == [{"folder": "a"}]
    one._lock.release()  # as when its process was killed
    assert scratch.living(store.folder) == []
    assert one.folder.is_dir()
    store.scratch().close()
    assert not one.folder.exists()


def test_a_run_waits_while_the_store_is_cleared(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.prepare()
    waits = threading.Event()
    begun: list[scratch.Scratch] = []
    with scratch.swept(store.folder) as mine:
        assert mine
        with scratch.swept(store.folder) as again:
            assert not again
        run = threading.Thread(target=lambda: begun.append(store.scratch({}, waits.set)))
        run.start()
        assert waits.wait(20)
        assert scratch.living(store.folder) == []
    run.join(20)
    assert len(scratch.living(store.folder)) == 1
    begun[0].close()


def test_a_folder_that_a_worker_outlived_is_cleared_by_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its files come back while it is removed: the lock stays, and tells whose turn is next of it."""
    store = Store(tmp_path)
    left = store.scratch()
    left._lock.release()
    really = shutil.rmtree

    def in_vain(folder: Path, **named: Any) -> None:
        really(folder, **named)
        folder.mkdir()
        (folder / "latents.tmp").write_bytes(b"half")

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", in_vain)
        scratch.clear(store.folder)
    assert left.folder.is_dir()
    assert scratch.left_behind(store.folder) == [left.folder]
    scratch.clear(store.folder)
    assert list((store.folder / "tmp").iterdir()) == []


def test_a_folder_without_its_lock_is_nobodys_and_goes(tmp_path: Path) -> None:
    store = Store(tmp_path)
    folder = store.folder / "tmp" / ("ab" * 16)
    folder.mkdir(parents=True)
    (folder / "x").write_text("x")
    assert scratch.living(store.folder) == []
    assert list((store.folder / "tmp").iterdir()) == [folder]  # asking leaves nothing behind
    scratch.clear(store.folder)
    assert list((store.folder / "tmp").iterdir()) == []
