"""Every file that nothing is learnt from, and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from lorakit.diagnostics import Place
from lorakit.facts.files.digests import Unread
from lorakit.facts.pictures.passed_over import LEFT_BEHIND, NO_PICTURE, NOT_READ, passed_over
from lorakit.facts.pictures.picture_folders import from_folder
from lorakit.facts.pictures.picture_memory import PictureMemory
from lorakit.language.recipe.trainings import DataSource
from tests.support.picture_folders import scene, told

HERE = Place("r.yaml", 1, 1)


def _passed(folder: Path, **keys: str) -> dict[str, str]:
    source = DataSource(
        "mine", HERE, images=str(folder), places=tuple((key, HERE) for key in keys), **keys
    )
    wrong: list = []
    found = from_folder(folder, source, Unread(), PictureMemory(None), wrong)
    used = {one.file for one in found} | {one.mask for one in found if one.mask}
    return dict(passed_over(folder, source, used))


def test_what_is_read_is_not_passed_over(tmp_path: Path) -> None:
    told(tmp_path / "a.png", scene(1), "a")
    told(tmp_path / "a-masklabel.png", scene(2).convert("L"), None)
    (tmp_path / "b.jpg").write_bytes((tmp_path / "a.png").read_bytes())
    (tmp_path / "metadata.jsonl").write_text('{"file_name": "b.jpg", "text": "b"}\n')
    told(tmp_path / "10_sks fox" / "c.png", scene(3), "c")
    assert _passed(tmp_path) == {}


def test_each_file_has_its_reason(tmp_path: Path) -> None:
    told(tmp_path / "a.png", scene(1), "a")
    for name in ("._a.png", "__MACOSX/x/a.png", "__MACOSX/y.txt", "orphan.txt", "a.npz", "b.heic"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "torn.png").write_bytes(b"x")
    assert _passed(tmp_path) == {
        "._a.png": LEFT_BEHIND,
        "__MACOSX/": LEFT_BEHIND,  # once, and not each file in it
        "orphan.txt": NO_PICTURE,
        "a.npz": NOT_READ,
        "b.heic": ".heic files are not read: convert it",
        "torn.png": "it cannot be read",
    }


def test_other_endings_and_splits(tmp_path: Path) -> None:
    told(tmp_path / "train" / "a.png", scene(1), "a")
    (tmp_path / "train" / "a.caption").write_text("another")
    told(tmp_path / "test" / "b.png", scene(2), None)
    passed = _passed(tmp_path, split="train", caption_extension=".caption")
    assert passed == {
        "test/b.png": "it is not of the split train",
        "train/a.txt": "captions are read from .caption files",
    }


def test_links_to_folders_are_told(tmp_path: Path) -> None:
    told(tmp_path / "mine" / "a.png", scene(1), "a")
    told(tmp_path / "other" / "b.png", scene(2), "b")
    try:
        (tmp_path / "mine" / "more").symlink_to(tmp_path / "other")
    except OSError:
        pytest.skip("no links here")
    assert _passed(tmp_path / "mine") == {"more/": "links to folders are not followed"}
