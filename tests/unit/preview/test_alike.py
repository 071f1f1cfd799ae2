"""Which pictures are the same: saved anew, smaller, mirrored; and which are not, however plain."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageOps

from lorakit.facts.pictures.open_picture import header, rgb
from lorakit.preview.alike import Pair, groups, pairs
from lorakit.preview.thumbnails import Fingerprint, ThumbnailSource, thumbnails
from tests.support.picture_folders import scene


def prints(tmp_path: Path, *pictures: Image.Image | bytes) -> list[Fingerprint]:
    wanted = []
    for number, picture in enumerate(pictures):
        file = tmp_path / f"{number}.png"
        if isinstance(picture, bytes):
            file.write_bytes(picture)
        else:
            picture.save(file)
        wanted.append(ThumbnailSource(file, header(file, "").size, (96, 64)))
    made = thumbnails(wanted, tmp_path / "thumbnails", lambda *_: None)
    found = [one.fingerprint for one in made if one.fingerprint]
    assert len(found) == len(pictures)
    return found


def jpeg(picture: Image.Image, quality: int) -> bytes:
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=quality)
    return written.getvalue()


@pytest.mark.parametrize("number", range(6))
def test_a_picture_saved_anew_or_smaller_is_the_same(tmp_path: Path, number: int) -> None:
    picture = scene(number, (384, 256))
    others = [
        jpeg(picture, 95),
        jpeg(picture, 40),
        picture.resize((192, 128)),
        jpeg(picture.resize((96, 64)), 70),
    ]
    found = list(pairs(prints(tmp_path, picture, *others)))
    assert {(one.first, one.second) for one in found if one.first == 0} == {
        (0, n) for n in range(1, 5)
    }
    assert {one.how for one in found} == {"same picture"}


def test_the_same_bytes_are_told_as_such(tmp_path: Path) -> None:
    data = jpeg(scene(1), 90)
    assert list(pairs(prints(tmp_path, data, data))) == [Pair(0, 1, "same bytes")]


@pytest.mark.parametrize("number", range(6))
def test_a_mirrored_one_is_told_as_mirrored(tmp_path: Path, number: int) -> None:
    picture = scene(number, (384, 256))
    found = prints(tmp_path, picture, jpeg(ImageOps.mirror(picture), 80))
    assert list(pairs(found)) == [Pair(0, 1, "mirrored")]


def test_plain_pictures_are_not_taken_for_each_other(tmp_path: Path) -> None:
    colours = ("navy", "black", "white", "#808080", "#8a8a8a", "saddlebrown", "#000010")
    plain = [Image.new("RGB", (96, 64), colour) for colour in colours]
    assert list(pairs(prints(tmp_path, *plain))) == []
    # and one that is plain but for a little is no other plain one
    almost = Image.new("RGB", (96, 64), "white")
    ImageDraw.Draw(almost).rectangle((40, 20, 60, 40), "black")
    assert list(pairs(prints(tmp_path, Image.new("RGB", (96, 64), "white"), almost))) == []


def test_plain_pictures_of_one_colour_are_the_same(tmp_path: Path) -> None:
    found = prints(tmp_path, Image.new("RGB", (96, 64), "navy"), Image.new("RGB", (48, 32), "navy"))
    assert list(pairs(found)) == [Pair(0, 1, "same picture")]


def test_forty_pictures_are_forty(tmp_path: Path) -> None:
    assert list(pairs(prints(tmp_path, *(scene(n) for n in range(40))))) == []


def test_pairs_become_groups() -> None:
    found = [Pair(0, 3, "mirrored"), Pair(3, 5, "same picture"), Pair(1, 2, "same bytes")]
    assert groups(found) == [[0, 3, 5], [1, 2]]
    assert groups([]) == []


def test_thumbnails_are_made_once_and_cleared(tmp_path: Path) -> None:
    first, _ = prints(tmp_path, scene(1), scene(2))
    folder = tmp_path / "thumbnails"
    (folder / "mine.jpg").write_bytes(b"not ours")
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    (again,) = prints(tmp_path, scene(1))
    after = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert again.digest == first.digest
    assert len(after) == 2  # the other's went; what is not ours stayed
    assert after.items() <= before.items()
    # what lies there and is no picture is made again
    (ours,) = (path for path in folder.iterdir() if path.name != "mine.jpg")
    ours.write_bytes(b"torn")
    prints(tmp_path, scene(1))
    assert rgb(ours).size == (96, 64)
