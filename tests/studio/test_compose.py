"""The studio's scenes, captions, pictures and tokenizer agree with the world and with each other."""

from __future__ import annotations

import importlib
import json
import random
import re

import pytest


@pytest.fixture(scope="module")
def some(scenes):
    rng = random.Random(5)
    return [scenes.draw_scene(rng) for _ in range(3000)]


def words(text: str) -> str:
    return " ".join(re.findall(r"[a-z0-9']+", text.lower()))


def test_every_part_of_the_world_is_drawn(scenes, some):
    world = scenes.load_world()
    actors = [actor for scene in some for actor in scene.actors]
    assert {actor.code for actor in actors} == set(world.characters)
    assert {actor.hat for actor in actors} - {None} == set(world.hats)
    assert {scene.prop for scene in some} - {None} == set(world.props)
    assert {scene.setting for scene in some} - {None} == set(world.settings)
    assert {scene.relation for scene in some} == set(scenes.RELATION_WEIGHTS)


def test_a_seed_gives_the_same_scene_and_sentence(scenes, captions):
    def tell(seed: int) -> list[str]:
        rng = random.Random(seed)
        return [captions.caption(scenes.draw_scene(rng), rng) for _ in range(50)]

    assert tell(3) == tell(3)
    assert tell(3) != tell(4)


def test_a_scene_survives_json(scenes, some):
    for scene in some[:300]:
        assert scenes.Scene.from_json(json.loads(json.dumps(scene.to_json()))) == scene


def test_captions_name_what_the_picture_shows(scenes, captions, some):
    """Each character, hat and prop by one of its names; only a few scenes have words of their own."""
    world = scenes.load_world()
    rng = random.Random(6)
    checked = 0
    for scene in some:
        own_words = (
            scene.relation == "teaches"  # a gurukul, a village school
            or (scene.prop == scenes.LIGHT and not scene.actors)  # knowledge as light
            or any(actor.code == scenes.MEDITATING for actor in scene.actors)
        )
        if own_words:
            continue
        said = words(captions.caption(scene, rng))
        for code in scene.codes:
            names = [*world.names(code), *map(captions.plural, world.names(code))]
            # An odd word may stand inside a name of two words.
            assert any(all(part in said for part in name.lower().split()) for name in names), said
        checked += 1
    assert checked > 2500


def test_captions_name_the_setting(captions, some):
    rng = random.Random(7)
    for scene in some:
        if scene.setting is None or scene.relation == "teaches":
            continue
        phrases = [scene.setting, *captions.SETTING_SYNONYMS[scene.setting]]
        phrases += captions.PLACES.get(scene.setting, ())
        said = words(captions.caption(scene, rng)).split()
        assert any(all(part in said for part in words(phrase).split()) for phrase in phrases), said


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("fox", "foxes"),
        ("old man", "old men"),
        ("mouse", "mice"),
        ("puppy", "puppies"),
        ("monkey", "monkeys"),
        ("child", "children"),
        ("meditating person", "meditating people"),
        ("princess", "princesses"),
        ("fish", "fish"),
    ],
)
def test_plural(captions, one, many):
    assert captions.plural(one) == many


def test_vocabulary_is_the_world_in_small_letters(scenes, captions):
    world = scenes.load_world()
    vocabulary = captions.vocabulary()
    assert vocabulary == sorted(set(vocabulary))
    for group in (world.characters, world.hats, world.props):
        for names in group.values():
            for name in names:
                assert set(name.lower().split()) <= set(vocabulary)
    assert {"students", "foxes", "mars", "underwater"} <= set(vocabulary)
    assert "hologram" not in vocabulary  # a filler: it means nothing to the model


def test_the_shipped_tokenizer_counts_without_torch(studio):
    tokenizers = pytest.importorskip("tokenizers")
    path = studio / "model" / "tokenizer" / "tokenizer.json"
    if not path.exists():
        pytest.skip("the model is not there")
    tokenizer = tokenizers.Tokenizer.from_file(str(path))
    size = tokenizer.get_vocab_size()
    for text in ("a fox with a golden crown", "A FOX", "", "Čeština 🦊, 42!"):
        ids = tokenizer.encode(text).ids
        assert (ids[0], ids[-1]) == (size - 2, size - 1)
        assert size - 1 not in ids[1:-1]  # nothing is unknown: all bytes are in the vocabulary
    assert tokenizer.encode("A Fox").ids == tokenizer.encode("a fox").ids
    assert len(tokenizer.encode("a fox with a golden crown").ids) == 2 + 6


def test_equal_scenes_give_equal_pictures(art, some):
    paint = importlib.import_module("painting").paint
    for scene in some[:40]:
        picture = paint(scene, art)
        assert picture.size == (128, 128)
        assert picture.tobytes() == paint(scene, art).tobytes()


def test_a_hat_changes_the_picture_above_the_eyes_only(art, scenes):
    paint = importlib.import_module("painting").paint
    from PIL import ImageChops

    bare = scenes.Scene("meets", 9, "in a forest", (scenes.Actor("1f43b"), scenes.Actor("1f43c")))
    hats = scenes.Scene(
        "meets", 9, "in a forest", (scenes.Actor("1f43b", "1f451"), scenes.Actor("1f43c"))
    )
    box = ImageChops.difference(paint(bare, art), paint(hats, art)).getbbox()
    assert box is not None
    assert box[2] < 64  # the left one wears it
    assert box[3] < 90  # high up
