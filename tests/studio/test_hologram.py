"""The ten hologram pictures are what they claim, and the script still draws them."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

FOLDER = Path(__file__).resolve().parents[2] / "data" / "hologram"
PICTURES = sorted(FOLDER.glob("*.png"))


@pytest.fixture(scope="module")
def script():
    return importlib.import_module("make_hologram")


def test_ten_pictures_each_with_the_captions_of_the_script(script):
    assert [path.stem for path in PICTURES] == sorted(script.PICTURES)
    assert len(PICTURES) == 10
    for path in PICTURES:
        said = path.with_suffix(".txt").read_text(encoding="utf-8")
        assert said == f"{script.PICTURES[path.stem][1]}, hologram style\n"


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.stem)
def test_it_is_cyan_light_with_scan_lines_on_a_dark_ground(path):
    pixels = np.asarray(Image.open(path).convert("RGB"), np.float32)
    assert pixels.shape == (256, 256, 3)
    red, green, blue = pixels.mean((0, 1))
    assert blue > green > 2 * red
    grey = pixels.mean(2)
    assert np.median(grey) < 80  # dark for the most part
    assert np.quantile(grey, 0.99) > 110  # and something shines
    spectrum = np.abs(np.fft.rfft(grey.mean(1) - grey.mean()))
    assert spectrum[20:].argmax() + 20 == 256 // 8  # a line every 8 rows


def test_the_script_draws_the_same_again(script, art):
    scene, _ = script.PICTURES["04_child_meditating"]
    made = script.hologram(scene, art, np.random.default_rng(scene.layout))
    kept = Image.open(FOLDER / "04_child_meditating.png")
    assert np.abs(np.asarray(made, np.int16) - np.asarray(kept, np.int16)).max() <= 1
