import hashlib

import numpy as np
import pytest
from PIL import Image

from lorakit.diagnostics import LorakitError
from lorakit.rendering.contact_sheet import SheetGroup, write_contact_sheet
from lorakit.rendering.sheet_layout import MARGIN, clip, lay_out


def measure(text, size, bold):
    return len(text) * size * 0.6


def colours_of(path):
    with Image.open(path) as sheet:
        assert sheet.format == "PNG"
        return {colour: count for count, colour in sheet.getcolors(1 << 20)}


def plan(counts, shape=(128, 128), caption="The bunny finds a key"):
    groups = [(f"scene {n}", [caption] * count) for n, count in enumerate(counts)]
    return lay_out("A film", groups, shape, measure)


@pytest.mark.parametrize(
    "counts", [[1], [3, 2, 5], [0, 2], [40], [5] * 20, [1] * 50, [5] * 200, [1000]]
)
@pytest.mark.parametrize("shape", [(128, 128), (1024, 256), (90, 160)])
def test_no_picture_leaves_the_page_or_lies_on_another(counts, shape):
    layout = plan(counts, shape)
    wide, high = layout.thumbnail
    assert len(layout.cells) == sum(counts)
    assert layout.width * layout.height <= 20_100_000
    taken = np.zeros((layout.height, layout.width), dtype=bool)
    for cell in layout.cells:
        box = taken[cell.top : cell.top + high, cell.left : cell.left + wide]
        assert box.shape == (high, wide)
        assert not box.any()
        box[:] = True
    for text in layout.texts:
        assert 0 <= text.top <= layout.height - text.size
        assert text.left + measure(text.text, text.size, text.bold) <= layout.width
        spot = taken[int(text.top) : int(text.top) + text.size, int(text.left) : int(text.left) + 8]
        assert not spot.any(), text


def test_thumbnails_shrink_as_they_grow_in_number():
    sides = [plan([5] * n).thumbnail[0] for n in (2, 20, 60, 200)]
    assert sides == sorted(sides, reverse=True)
    assert sides[0] == 248
    assert sides[-1] >= 48


def test_few_scenes_have_a_row_each_and_many_stand_beside_each_other():
    assert {c.left for c in plan([3, 3]).cells if c.number == 0} == {MARGIN}
    assert len({c.left for c in plan([2] * 40).cells if c.number == 0}) > 1


def test_what_does_not_fit_is_counted():
    layout = plan([5] * 6000)
    assert layout.left_out > 0
    assert layout.left_out + len(layout.cells) == 30_000
    assert layout.texts[-1].text == f"… and {layout.left_out:,} more pictures"
    assert layout.width * layout.height <= 20_100_000


def test_texts_are_shortened_with_an_ellipsis():
    assert clip("golden key", 6, len) == "golde…"
    assert clip("golden key", 8, len) == "golden…"
    assert clip("golden", 6, len) == "golden"
    long = plan([2], caption="The bunny finds a golden key in the tall grass " * 5)
    captions = [t.text for t in long.texts if not t.bold and not t.faint]
    assert len(captions) == 6
    assert captions[2].endswith("…")


def test_a_sheet_shows_each_picture_in_its_place(tmp_path, picture):
    colours = [(200, 30, 30), (30, 160, 30), (30, 30, 200)]
    paths = [picture(str(n), colour) for n, colour in enumerate(colours)]
    groups = [
        SheetGroup("meadow", [(paths[0], "Кролик"), (paths[1], "")]),
        SheetGroup("empty", []),
        SheetGroup("", [(paths[2], "naïve")]),
    ]
    told = list(write_contact_sheet(tmp_path / "sheet.png", groups, "A film"))
    assert told == [(1, 3), (2, 3), (3, 3)]
    seen = colours_of(tmp_path / "sheet.png")
    thumbnail = seen[colours[0]]
    assert thumbnail > 30_000
    assert {seen[colour] for colour in colours} == {thumbnail}


def test_a_sheet_of_the_same_pictures_has_the_same_bytes(tmp_path, picture):
    groups = [SheetGroup("meadow", [(picture("a", "red"), "One"), (picture("b", "blue"), "Two")])]
    digests = set()
    for name in "xy":
        list(write_contact_sheet(tmp_path / name, groups, "A film"))
        digests.add(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
    assert len(digests) == 1


def test_pictures_of_other_shapes_keep_them(tmp_path, picture):
    groups = [
        SheetGroup("", [(picture("a", "red", (64, 64)), ""), (picture("b", "blue", (64, 16)), "")])
    ]
    list(write_contact_sheet(tmp_path / "sheet.png", groups, "A film"))
    seen = colours_of(tmp_path / "sheet.png")
    assert seen[(0, 0, 255)] == pytest.approx(seen[(255, 0, 0)] / 4, rel=0.05)


def test_a_thousand_pictures_make_one_sheet(tmp_path, picture):
    path = picture("a", "red", (16, 16))
    groups = [SheetGroup(f"scene {n}", [(path, "x")] * 10) for n in range(100)]
    assert list(write_contact_sheet(tmp_path / "sheet.png", groups, "Long"))[-1] == (1000, 1000)
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width * sheet.height < 20_000_000


def test_no_pictures_and_broken_ones_are_told(tmp_path, picture):
    with pytest.raises(LorakitError, match="at least one picture"):
        list(write_contact_sheet(tmp_path / "sheet.png", [SheetGroup("meadow", [])], "A film"))
    groups = [SheetGroup("", [(picture("a", "red"), ""), (tmp_path / "gone.png", "")])]
    with pytest.raises(LorakitError, match=r"gone\.png"):
        list(write_contact_sheet(tmp_path / "sheet.png", groups, "A film"))
    assert not (tmp_path / "sheet.png").exists()
