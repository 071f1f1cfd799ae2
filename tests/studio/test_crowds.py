"""Pictures of several at once: told whole, set apart, and in the way of nothing that was there before."""

from __future__ import annotations

import importlib
import json
import random

import numpy as np
import pytest


@pytest.fixture(scope="module")
def crowds(compose):
    return [compose.scene_number(5, compose.UNET_HELD_OUT + n, 1.0) for n in range(200)]


def test_a_crowd_has_characters_and_things_and_survives_json(scenes, crowds):
    for crowd in crowds:
        assert crowd.relation == scenes.CROWD
        assert len(crowd.actors) in (2, 3)
        assert len(set(crowd.things)) in (2, 3)
        assert scenes.Scene.from_json(json.loads(json.dumps(crowd.to_json()))) == crowd


def test_scenes_written_before_there_were_crowds_are_read(scenes):
    scene = scenes.draw_scene(random.Random(1))
    row = {name: value for name, value in scene.to_json().items() if name != "things"}
    assert scenes.Scene.from_json(json.loads(json.dumps(row))) == scene


def test_all_that_is_shown_is_told(scenes, crowds):
    captions, world = importlib.import_module("captions"), scenes.load_world()
    told = 0
    for number, crowd in enumerate(crowds):
        said = captions.caption(crowd, random.Random(number)).lower()
        for code in crowd.codes:
            # an odd word may stand inside a name of two words
            assert any(
                all(part in said for part in name.lower().split()) for name in world.names(code)
            ), said
            told += 1
    assert told > 900


def test_what_others_are_does_not_change_and_the_first_have_no_crowds(scenes, compose):
    some = [compose.scene_number(5, n, 0.5) for n in range(600)]
    crowded = [scene.relation == scenes.CROWD for scene in some]
    assert not any(crowded[: compose.UNET_HELD_OUT])
    assert 120 < sum(crowded) < 230
    plain = [compose.scene_number(5, n) for n in range(600)]
    assert all(
        one == other for one, other, many in zip(some, plain, crowded, strict=True) if not many
    )


def test_most_of_each_is_seen(small_art, crowds):
    painting, looks = importlib.import_module("painting"), importlib.import_module("looks")
    shares = []
    for crowd in crowds[:60]:
        stage = painting.set_stage(crowd, small_art, look=looks.GRID)
        hats = sum(actor.hat is not None for actor in crowd.actors)
        assert len(stage.figures) == len(crowd.actors) + hats + len(crowd.things)
        owner = stage.owners()
        shares += [
            (owner == number).sum() / figure.solid().sum()
            for number, figure in enumerate(stage.figures)
        ]
        # of 255; with the real art 77 on average, 29 of other scenes
        assert np.asarray(stage.marks).mean() > 25
    assert np.median(shares) > 0.75


def test_a_pool_takes_looks_by_turns(small_art, compose, tmp_path, monkeypatch):
    looks = importlib.import_module("looks")
    monkeypatch.setattr(compose, "open_art", lambda _: small_art)
    both = (looks.LOOSE, looks.GRID)
    _, found, pictures, marks = compose._compose(tmp_path, both, 0.0, (3, 10, 16))
    assert len(found) == len(pictures) == len(marks) == 6
    painting = importlib.import_module("painting")
    for number, (scene, picture) in enumerate(zip(found, pictures, strict=True), 10):
        other = np.asarray(painting.paint(scene, small_art, look=both[number % 2]))
        assert np.array_equal(picture, other)
        assert not np.array_equal(
            picture, painting.paint(scene, small_art, look=both[1 - number % 2])
        )
