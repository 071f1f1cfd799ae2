"""Sizes for an aspect: near it for the model, exact for the film."""

from __future__ import annotations

import pytest

from lorakit.plan.aspect import film_size, nearest_size


@pytest.mark.parametrize(
    ("native", "unit", "aspect", "size"),
    [
        (128, 32, (16, 9), (160, 96)),
        (128, 32, (9, 16), (96, 160)),
        (128, 32, (4, 3), (128, 96)),
        (128, 32, (1, 1), (128, 128)),
        (512, 64, (16, 9), (704, 384)),
        (512, 64, (3, 2), (576, 384)),
        (768, 64, (16, 9), (1024, 576)),
        (1024, 64, (16, 9), (1344, 768)),
        (1024, 64, (3, 2), (1280, 832)),
        (1024, 64, (4, 3), (1216, 896)),
        (1024, 64, (9, 16), (768, 1344)),
        (128, 32, (999, 1), (1888, 32)),
        (128, 32, (1, 999), (32, 1888)),
    ],
)
def test_the_nearest_pair_that_a_model_draws_well(
    native: int, unit: int, aspect: tuple[int, int], size: tuple[int, int]
) -> None:
    found = nearest_size((native, native), unit, aspect)
    assert found[0] % unit == found[1] % unit == 0
    if max(aspect) < 999:
        assert found == size


@pytest.mark.parametrize(
    ("aspect", "drawn", "height", "size"),
    [
        ((16, 9), (160, 96), 720, (1280, 720)),
        ((16, 9), (160, 96), None, (160, 90)),
        ((9, 16), (96, 160), None, (90, 160)),
        ((4, 3), (128, 96), None, (128, 96)),
        ((16, 9), (1344, 768), None, (1344, 756)),
        ((16, 9), (160, 96), 1080, (1920, 1080)),
        ((21, 9), (224, 96), 720, (1680, 720)),
        ((239, 100), (224, 96), None, (478, 200)),
        ((16, 9), (160, 96), 1000, (1778, 1000)),
        ((999, 998), (128, 128), None, (128, 128)),
        ((32, 18), (160, 96), None, (160, 90)),
    ],
)
def test_a_film_has_its_aspect_to_the_pixel(
    aspect: tuple[int, int], drawn: tuple[int, int], height: int | None, size: tuple[int, int]
) -> None:
    assert film_size(aspect, drawn, height) == size
