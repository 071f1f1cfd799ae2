"""Which saves are heard: by rename, of files that were not there, in folders of data; and which are not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("watchfiles", reason="needs pip install 'lorakit[watch]'")

import lorakit
from lorakit.watch.files import Follower, NotingReader, Watched, now

HEARD, UNHEARD = 10.0, 0.9  # s


class Ear:
    def __init__(self) -> None:
        self.saved = threading.Event()
        self.follower = Follower(self.saved.set)

    def hears(self) -> bool:
        heard = self.saved.wait(HEARD)
        self.saved.clear()
        return heard


@pytest.fixture
def ear() -> Iterator[Ear]:
    made = Ear()
    yield made
    made.follower.close()


def files(*paths: Path) -> Watched:
    return Watched({path: now(path) for path in paths})


@pytest.mark.slow
def test_a_file_that_is_written_over(ear: Ear, tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("a")
    ear.follower.follow(files(file))
    assert not ear.saved.wait(UNHEARD)
    file.write_text("ab")
    assert ear.hears()


@pytest.mark.slow
def test_a_file_that_an_editor_renames_into_place(ear: Ear, tmp_path: Path) -> None:
    file, new = tmp_path / "a.yaml", tmp_path / ".a.yaml.swp"
    file.write_text("a")
    ear.follower.follow(files(file))
    assert not ear.saved.wait(UNHEARD)
    new.write_text("b")  # as many bytes
    new.replace(file)
    assert ear.hears()


@pytest.mark.slow
def test_a_file_behind_a_link(ear: Ear, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    real = tmp_path / "there" / "a.yaml"
    real.write_text("a")
    link = tmp_path / "a.yaml"
    link.symlink_to(real)
    ear.follower.follow(files(link))
    assert not ear.saved.wait(UNHEARD)
    real.write_text("ab")
    assert ear.hears()


def test_a_file_that_changed_between_being_read_and_being_watched(ear: Ear, tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("a")
    watched = files(file)
    file.write_text("ab")
    ear.follower.follow(watched)
    assert ear.saved.is_set()
    assert (
        not watched.again().changed
    )  # so that a round which cannot be planned is not begun for ever


@pytest.mark.slow
def test_a_picture_that_is_put_into_a_folder_of_data(ear: Ear, tmp_path: Path) -> None:
    (tmp_path / "data" / "train").mkdir(parents=True)
    ear.follower.follow(Watched({}, frozenset({tmp_path / "data"})))
    assert not ear.saved.wait(UNHEARD)
    (tmp_path / "data" / "train" / ".DS_Store").write_text("x")
    assert not ear.saved.wait(UNHEARD)
    (tmp_path / "data" / "train" / "a.txt").write_text("x")
    assert ear.hears()


@pytest.mark.slow
def test_others_beside_it_are_not_heard(ear: Ear, tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("a")
    ear.follower.follow(files(file))
    assert not ear.saved.wait(UNHEARD)
    (tmp_path / "b.yaml").write_text("b")
    (tmp_path / "outputs").mkdir()
    assert not ear.saved.wait(UNHEARD)


def test_a_board_that_was_not_there_is_among_those_that_were_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("recipe.yaml").write_text(
        "recipe: 1\nsteps:\n  film: {kind: storyboard, storyboard: boards/new.yaml}\n"
    )
    reader = NotingReader()
    with pytest.raises(lorakit.InvalidDocument):
        lorakit.load("recipe.yaml", reader=reader)
    watched = Watched(reader.asked)
    assert tmp_path / "boards" / "new.yaml" in watched.files
    assert watched.files[tmp_path / "boards" / "new.yaml"] is None
    assert not watched.changed
    (tmp_path / "boards").mkdir()
    (tmp_path / "boards" / "new.yaml").write_text("storyboard: 1\n")
    assert watched.changed
