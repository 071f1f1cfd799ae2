"""What checking reads of a model, and what it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from lorakit.facts.files.digests import Digests, Unread


def test_a_missing_file_is_missed_with_and_without_reading(tmp_path: Path) -> None:
    for digests in (Digests(None), Unread()):
        with pytest.raises(FileNotFoundError):
            digests.files(tmp_path, ["unet/config.json"])


def test_contents_are_read_where_keys_are_asked_for_only(tmp_path: Path) -> None:
    for content, folder in ((b"one", tmp_path / "a"), (b"two", tmp_path / "b")):
        folder.mkdir()
        (folder / "weights").write_bytes(content)
    whole, unread = Digests(None), Unread()
    assert whole.file(tmp_path / "a/weights") != whole.file(tmp_path / "b/weights")
    assert unread.file(tmp_path / "a/weights") == unread.file(tmp_path / "b/weights")
