"""Pictures side by side, on real PNGs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lorakit.facts.pictures.open_picture import PictureError
from lorakit.rendering.picture_figures import figures
from lorakit.rendering.side_by_side import Table, write_side_by_side


def picture(folder: Path, name: str, colour: tuple[int, int, int], size: int = 64) -> Path:
    path = folder / f"{name}.png"
    Image.new("RGB", (size, size), colour).save(path)
    return path


def drawn(folder: Path, table: Table) -> np.ndarray:
    *_, (done, total) = write_side_by_side(folder / "sheet.png", table)
    assert done == total
    return np.asarray(Image.open(folder / "sheet.png").convert("RGB"))


def boxes(sheet: np.ndarray, colour: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of a colour."""
    rows, columns = np.nonzero((sheet == colour).all(-1))
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


def test_a_row_is_a_row_and_a_column_a_column(tmp_path: Path) -> None:
    red, green, blue = (250, 0, 0), (0, 250, 0), (0, 0, 250)
    paths = [picture(tmp_path, n, c) for n, c in (("r", red), ("g", green), ("b", blue))]
    sheet = drawn(
        tmp_path,
        Table(
            "two and two",
            ["plain", "styled"],
            [("a fox", paths[:2]), ("an owl", [paths[2], None])],
        ),
    )
    left, below = boxes(sheet, red), boxes(sheet, blue)
    right = boxes(sheet, green)
    assert left[1] == right[1]  # one row
    assert left[0] == below[0]  # one column
    assert right[0] > left[2]
    assert below[1] > left[3]
    assert left[2] - left[0] == 256  # few pictures are large
    assert right[2] < sheet.shape[1]
    assert below[3] < sheet.shape[0]


@pytest.mark.slow
def test_many_columns_fit_the_page_and_too_many_rows_are_counted(tmp_path: Path) -> None:
    one = picture(tmp_path, "one", (250, 0, 0))
    wide = drawn(tmp_path, Table("wide", [f"{n}" for n in range(12)], [("", [one] * 12)]))
    assert wide.shape[1] <= 1600
    long = Table("long", ["a"], [(f"{n}", [one]) for n in range(400)])
    sheet = drawn(tmp_path, long)
    assert sheet.shape[0] * sheet.shape[1] <= 20_000_000


def test_no_picture_at_all_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="no picture"):
        list(write_side_by_side(tmp_path / "x.png", Table("none", ["a"], [("b", [None])])))


def test_change_is_measured_along_each_row(tmp_path: Path) -> None:
    black, grey, white = (
        picture(tmp_path, n, (v, v, v)) for n, v in (("black", 0), ("grey", 51), ("white", 255))
    )
    found = figures([[black, grey, white], [white]])
    assert found == {"change_from_previous": 0.5, "change_from_first": 0.6}
    assert figures([[black], [white]]) == {}
