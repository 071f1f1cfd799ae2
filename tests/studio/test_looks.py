"""Scenes on the grid: few sprites, whole steps of the autoencoder's grid, few backdrops."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
from PIL import Image, ImageDraw

CELL = 8


@pytest.fixture(scope="module", params=["grid", "lined", "tiles"])
def stages(small_art, painting, looks, request):
    scene_number = importlib.import_module("compose").scene_number
    scenes = [scene_number(5, n) for n in range(600)]
    return [
        (scene, painting.set_stage(scene, small_art, look=looks.LOOKS[request.param]))
        for scene in scenes
    ]


def test_each_sprite_stands_on_the_grid_in_one_way(stages):
    """Equal sprites are cut by the autoencoder's grid at the same place, so latents are equal too."""
    cuts: dict[tuple[str, tuple[int, int], bytes], set[tuple[int, int]]] = {}
    cell = stages[0][1].look.grid
    assert cell % CELL == 0
    for _, stage in stages:
        for figure in stage.figures:
            key = (figure.code, figure.sprite.size, figure.sprite.tobytes())
            cuts.setdefault(key, set()).add((figure.place[0] % cell, figure.place[1] % cell))
    assert len(cuts) > 150
    assert all(len(found) == 1 for found in cuts.values()), [
        (code, size, found) for (code, size, _), found in cuts.items() if len(found) > 1
    ]


def test_actors_and_things_come_in_three_sizes(stages):
    scenes = importlib.import_module("scenes")
    world = scenes.load_world()
    for group, most in ((world.characters, 3), (world.props, 3)):
        sizes: dict[str, set[int]] = {}
        for _, stage in stages:
            for figure in stage.figures:
                if figure.code in group:
                    sizes.setdefault(figure.code, set()).add(max(figure.sprite.size))
        assert max(map(len, sizes.values())) <= most


def test_a_hat_sits_on_a_head_the_same_way_wherever_it_stands(small_art, painting, looks):
    scenes = importlib.import_module("scenes")
    apart = set()
    for layout in range(40):
        scene = scenes.Scene("finds", layout, None, (scenes.Actor("1f43b", "1f451"),), "1f511")
        stage = painting.set_stage(scene, small_art, look=looks.GRID)
        at = {figure.code: figure.place for figure in stage.figures}
        apart.add(tuple(np.subtract(at["1f451"], at["1f43b"]).tolist()))
    assert len(apart) == 1


def test_a_setting_has_a_handful_of_backdrops(small_art, painting, looks):
    pictures = {painting.kept_backdrop("in a forest", small_art, n).tobytes() for n in range(4)}
    assert len(pictures) == looks.GRID.backdrops == 4
    scenes = importlib.import_module("scenes")
    seen = set()
    for layout in range(40):
        scene = scenes.Scene("alone", layout, "in a forest", (scenes.Actor("1f43b"),))
        corner = np.asarray(painting.paint(scene, small_art, look=looks.GRID))[:4, :4]
        seen.add(corner.tobytes())
    assert len(seen) <= 4


def test_what_stands_where_still_differs(stages):
    places = {stage.figures[0].place for scene, stage in stages if scene.relation == "finds"}
    assert len(places) >= 6


def test_an_outline_is_dark_and_keeps_what_is_inside(looks):
    sprite = Image.new("RGBA", (30, 30))
    ImageDraw.Draw(sprite).rectangle((5, 5, 24, 24), fill=(250, 200, 40, 255))
    made = np.asarray(looks.outlined(sprite, 1.5)).astype(int)
    assert made.shape == (34, 34, 4)
    assert made[17, 17].tolist() == [250, 200, 40, 255]  # two pixels further in each direction
    assert np.abs(made[17, 6, :3] - looks.LINE).max() < 30
    assert made[17, 6, 3] > 200
    assert made[17, 2, 3] == 0


def test_loose_pictures_are_drawn_as_ever(small_art, painting, looks):
    """The hologram pictures and the judges' were; no look is the loose one."""
    scene_number = importlib.import_module("compose").scene_number
    for n in range(20):
        scene = scene_number(6, n)
        picture = painting.paint(scene, small_art)
        assert picture.tobytes() == painting.paint(scene, small_art, look=looks.LOOSE).tobytes()
