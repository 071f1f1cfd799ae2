"""What a training is shown is what the preview shows: one function, to the bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lorakit.facts.pictures.cut_picture import cut, cut_of
from lorakit.facts.pictures.open_picture import quietly
from tests.support import icc
from tests.support.picture_folders import scene


@pytest.mark.parametrize(
    ("picture", "size", "lost", "scale"),
    [
        ((100, 100), (50, 50), 0.0, 0.5),
        ((200, 100), (50, 50), 0.5, 0.5),
        ((100, 200), (100, 100), 0.5, 1.0),
        ((50, 40), (100, 80), 0.0, 2.0),
        ((640, 427), (160, 96), 0.1007, 0.25),
    ],
)
def test_what_is_cut_away_is_a_share_of_the_area(
    picture: tuple[int, int], size: tuple[int, int], lost: float, scale: float
) -> None:
    assert cut_of(picture, size) == pytest.approx((lost, scale), abs=1e-3)


def _files(folder: Path) -> dict[str, Path]:
    exif = Image.Exif()
    exif[274] = 8
    deep = np.linspace(0, 65535, 90 * 60).astype(np.uint16).reshape(60, 90)
    made = {
        "turned.jpg": (scene(1), {"exif": exif}),
        "icc.jpg": (scene(2), {"icc_profile": icc.profile("w", icc.SRGB[::-1], 1.8)}),
        "deep.png": (Image.fromarray(deep), {}),
        "clear.png": (scene(3).convert("RGBA"), {}),
    }
    for name, (picture, named) in made.items():
        picture.save(folder / name, **named)
    return {name: folder / name for name in made}


@pytest.mark.parametrize("name", ["turned.jpg", "icc.jpg", "deep.png", "clear.png"])
@pytest.mark.parametrize(("flip", "at"), [(False, (0.5, 0.5)), (True, (0.0, 1.0))])
def test_a_training_s_pixels_are_the_cut_ones(
    tmp_path: Path, name: str, flip: bool, at: tuple[float, float]
) -> None:
    from lorakit.training.image_data import pixels

    file = _files(tmp_path)[name]
    with quietly():
        shown = np.asarray(cut(file, (32, 32), flip=flip, at=at))
    trained = pixels(file, (32, 32), flip=flip, at=at)[0].permute(1, 2, 0).numpy()
    assert np.array_equal(np.rint((trained + 1) * 127.5).astype(np.uint8), shown)


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_large_jpeg_in_a_fraction_of_its_pixels_looks_the_same(
    tmp_path: Path, orientation: int
) -> None:
    exif = Image.Exif()
    exif[274] = orientation
    scene(7, (1600, 900)).save(tmp_path / "a.jpg", exif=exif, quality=95)
    size = (160, 96) if orientation == 1 else (96, 160)
    with quietly():
        whole = np.asarray(cut(tmp_path / "a.jpg", size)).astype(int)
        quick = np.asarray(cut(tmp_path / "a.jpg", size, reduced=True)).astype(int)
    assert np.abs(whole - quick).mean() < 1.0
    assert np.abs(whole - quick).max() < 16
