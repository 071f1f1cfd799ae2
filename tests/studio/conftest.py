"""The studio's scripts on the path, and art that every machine has."""

from __future__ import annotations

import colorsys
import importlib
import os
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

STUDIO = Path(__file__).resolve().parents[2] / "studio"


@pytest.fixture(scope="module", autouse=True)
def studio():
    """The stages are scripts that import each other by bare names."""
    sys.path.insert(0, str(STUDIO))
    yield STUDIO
    sys.path.remove(str(STUDIO))


@pytest.fixture(scope="module")
def art():
    """The npm package's art, where somebody has its folder: LORAKIT_STUDIO_ART."""
    folder = os.environ.get("LORAKIT_STUDIO_ART")
    found = importlib.import_module("compose").find_art(Path(folder)) if folder else None
    if found is None:
        pytest.skip("LORAKIT_STUDIO_ART names no folder with the art")
    return importlib.import_module("painting").Art(found)


@pytest.fixture(scope="module")
def small_art(tmp_path_factory, studio):
    """A folder like the npm package's: an ellipse of its own colour and shape for each code."""
    folder = tmp_path_factory.mktemp("art")
    scenes, painting = (importlib.import_module(name) for name in ("scenes", "painting"))
    world = scenes.load_world()
    scattered = [
        entry[0]
        for setting in painting.SETTINGS.values()
        for entry in (*setting.far, *setting.near, *setting.above)
    ]
    codes = sorted({*world.characters, *world.hats, *world.props, *scattered})
    for number, code in enumerate(codes):
        red, green, blue = colorsys.hsv_to_rgb(number / len(codes), 0.8, 0.9)
        image = Image.new("RGBA", (256, 256))
        box = (8, 20 + number % 50, 248, 236 - number % 40)
        colour = (int(red * 255), int(green * 255), int(blue * 255), 255)
        ImageDraw.Draw(image).ellipse(box, fill=colour)
        ImageDraw.Draw(image).rectangle(
            (40, 100, 90, 120), fill="black"
        )  # it has a left and a right
        image.save(folder / f"{code}.webp", lossless=True)
    return painting.Art(folder)


@pytest.fixture(scope="module")
def scenes(studio):
    return importlib.import_module("scenes")


@pytest.fixture(scope="module")
def compose(studio):
    return importlib.import_module("compose")


@pytest.fixture(scope="module")
def looks(studio):
    return importlib.import_module("looks")


@pytest.fixture(scope="module")
def painting(studio):
    return importlib.import_module("painting")


@pytest.fixture(scope="module")
def captions(studio):
    return importlib.import_module("captions")
