"""Likeness to composed pictures, sharpness, and the distance of kinds: the measures of the benchmark."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
from PIL import Image, ImageFilter


@pytest.fixture(scope="module")
def closeness(studio):
    return importlib.import_module("closeness")


@pytest.fixture(scope="module")
def scene(studio):
    scenes = importlib.import_module("scenes")
    return scenes.Scene("finds", 7, "in the desert", (scenes.Actor("1f43b", "1f451"),), "1f511")


@pytest.fixture(scope="module")
def drawn(studio, scene, small_art):
    """The scene in both looks."""
    painting, looks = (importlib.import_module(name) for name in ("painting", "looks"))
    return {
        look.name: (painting.set_stage(scene, small_art, look=look), look)
        for look in (looks.LOOSE, looks.GRID)
    }


def match(closeness, picture: Image.Image, scene, code, art, look):
    pixels = closeness.to_tensor(np.asarray(picture))
    return closeness.best_match(pixels, closeness.templates(scene, code, art, look))


@pytest.mark.parametrize("code", ["1f43b", "1f511"])
def test_a_composed_picture_is_found_where_it_was_set_and_is_like_itself(
    closeness, scene, drawn, small_art, code
):
    stage, look = drawn["grid"]
    found = match(closeness, stage.image, scene, code, small_art, look)
    figure = next(one for one in stage.figures if one.code == code)
    assert np.abs(np.subtract(found.place, figure.place)).max() <= 4  # its line is half transparent
    assert found.psnr > 30
    assert found.sharpness == pytest.approx(1, abs=0.1)


def test_in_any_size_at_any_place_the_nearest_of_its_kind_is_near(
    closeness, scene, drawn, small_art
):
    stage, look = drawn["loose"]
    assert match(closeness, stage.image, scene, "1f43b", small_art, look).psnr > 22


def test_a_blurred_picture_is_less_sharp_and_less_like(closeness, scene, drawn, small_art):
    stage, look = drawn["grid"]
    sharp = match(closeness, stage.image, scene, "1f43b", small_art, look)
    soft = stage.image.filter(ImageFilter.GaussianBlur(1.5))
    found = match(closeness, soft, scene, "1f43b", small_art, look)
    assert found.sharpness < 0.5 * sharp.sharpness
    assert found.psnr < sharp.psnr - 5


def test_another_character_is_less_like(closeness, scene, drawn, small_art):
    stage, look = drawn["grid"]
    right = match(closeness, stage.image, scene, "1f43b", small_art, look)
    scenes = importlib.import_module("scenes")
    other = scenes.Scene("finds", 7, "in the desert", (scenes.Actor("1f433"),), "1f511")
    wrong = match(closeness, stage.image, other, "1f433", small_art, look)
    assert wrong.psnr < right.psnr - 10


def test_what_is_hidden_is_no_template(closeness, studio, drawn, small_art):
    stage, _ = drawn["grid"]
    figure = stage.figures[0]
    assert closeness.seen_of(stage, 0) is not None
    stage.figures.append(figure)  # the same once more, before it
    try:
        assert closeness.seen_of(stage, 0) is None
    finally:
        stage.figures.pop()


def test_kernel_distance_is_nothing_between_equals_and_grows(closeness):
    chance = np.random.default_rng(0)
    a, b = (chance.normal(size=(200, 16)).astype(np.float32) for _ in range(2))
    same, near, far = (closeness.kernel_distance(a, b + shift) for shift in (0, 0.3, 0.6))
    assert same.low < 0 < same.high
    assert same.high < near.low
    assert near.value < far.value


def test_kernel_distance_is_not_led_by_pairs_of_one_sentence(closeness):
    """Twice the same rows, a little changed, are as far apart as two sets of their kind."""
    chance = np.random.default_rng(1)
    rows = chance.normal(size=(400, 16)).astype(np.float32)
    found = closeness.kernel_distance(rows, rows + chance.normal(0, 0.01, rows.shape).astype("f4"))
    assert abs(found.value) < 0.05


def test_the_benchmark_tells_sharp_from_soft(studio, drawn, scene, small_art, monkeypatch):
    """Its own functions, on composed pictures instead of drawn ones."""
    monkeypatch.syspath_prepend(str(studio.parent / "benchmarks"))
    benchmark = importlib.import_module("studio_quality")
    stage, look = drawn["grid"]
    tests = [(scene, "a bear with a crown finds a golden key in the desert")]
    soft = stage.image.filter(ImageFilter.GaussianBlur(1.5))
    sharp, blurred = (
        benchmark.measure_closeness(tests, [image], small_art, look)
        for image in (stage.image, soft)
    )
    assert set(sharp) == {"sharpness", "character's likeness, dB", "prop's likeness, dB"}
    assert all(sharp[name].value > blurred[name].value for name in sharp)
    assert sharp["sharpness"].count == 2
