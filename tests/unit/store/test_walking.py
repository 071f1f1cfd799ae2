"""What a walk through a part of the store meets."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from lorakit.store import walking


def test_a_walk_enters_folders_of_two_letters_and_no_links(tmp_path: Path) -> None:
    others = tmp_path / "others"
    objects = tmp_path / "objects"
    for folder in (others, objects / "ab", objects / "abc"):
        folder.mkdir(parents=True)
        (folder / "cd").write_bytes(b"123")
    (objects / "ab" / "ef").symlink_to(others / "cd")
    (objects / "cd").symlink_to(others)
    (objects / "ef").write_bytes(b"a file where a folder belongs")
    found = {name: (path, status) for name, path, status in walking.stored(objects)}
    assert found.keys() == {"abcd", "abef"}
    path, status = found["abcd"]
    assert path == objects / "ab" / "cd"
    assert status.st_size == 3
    assert stat.S_ISLNK(found["abef"][1].st_mode)
    assert not list(walking.stored(tmp_path / "nothing"))


def test_a_folder_that_cannot_be_read_hides_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else gc would clear away what the others' manifests name."""
    for part in ("aa", "bb", "cc"):
        (tmp_path / part).mkdir()
        (tmp_path / part / "file").touch()
    real = os.scandir

    def denied(folder: Path) -> object:
        if Path(folder).name in bad:
            raise PermissionError(13, "permission denied", str(folder))
        return real(folder)

    monkeypatch.setattr(walking.os, "scandir", denied)
    for bad in ({"aa"}, {"bb"}, {"cc"}):
        walked = {name for name, _, _ in walking.stored(tmp_path)}
        assert walked == {f"{part}file" for part in ("aa", "bb", "cc") if part not in bad}
