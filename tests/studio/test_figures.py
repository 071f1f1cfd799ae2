"""Marks, intervals and pairs of sentences, as benchmarks/studio_quality.py uses them."""

from __future__ import annotations

import importlib
import re

import pytest
import torch

from lorakit.rendering.judge_nets import Seen


@pytest.fixture(scope="module")
def figures():
    return importlib.import_module("figures")


def view_of(scene) -> Seen:
    """What a judge who sees everything in a picture of `scene` would say."""
    labels = importlib.import_module("judge_data").labels_of([scene])

    def one(name: str, size: int) -> torch.Tensor:
        logits = torch.full((1, size), -5.0)
        logits[0, max(0, int(labels[name][0]))] = 5.0
        return logits

    return Seen(
        main=one("main", 40),
        characters=labels["characters"] * 10 - 5,
        hats=labels["hats"] * 10 - 5,
        prop=one("prop", 41),
        setting=one("setting", 17),
        relation=one("relation", 12),
        embedding=torch.eye(1, 64),
        features=torch.zeros(1, 384),
    )


@pytest.mark.parametrize(
    ("hits", "count", "low", "high"),
    [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (97, 100, 0.9155, 0.9897)],
)
def test_wilson_against_published_values(figures, hits, count, low, high):
    found = figures.wilson(hits, count)
    assert found.value == hits / count
    assert (found.low, found.high) == pytest.approx((low, high), abs=2e-4)


def test_a_bootstrap_interval_holds_the_mean_and_narrows(figures):
    few, many = figures.bootstrap([1.0, 2.0, 3.0]), figures.bootstrap([1.0, 2.0, 3.0] * 30)
    assert few.low < few.value == 2.0 < few.high
    assert many.high - many.low < few.high - few.low


def test_a_sentence_is_marked_by_what_it_asks_for(figures, scenes):
    fox, owl = scenes.Actor("1f98a", "1f451"), scenes.Actor("1f989")
    scene = scenes.Scene("finds", 1, "on mars", (fox,), "1f511")
    sentence = "a fox with a crown finds a key on mars"
    good = figures.marks(scene, sentence, view_of(scene), 0)
    assert good == dict.fromkeys(("main character", "hat", "prop", "setting", "relation"), True)
    other = scenes.Scene("holds", 1, "at night", (owl,), "1f52e")
    bad = figures.marks(scene, sentence, view_of(other), 0)
    assert bad == dict.fromkeys(good, False)
    pair = scenes.Scene("meets", 1, None, (fox, owl))
    asked = figures.marks(pair, "a fox with a crown meets an owl", view_of(pair), 0)
    assert asked["both of two characters"]
    assert "setting" not in asked
    assert not figures.marks(pair, "…", view_of(scene), 0)["both of two characters"]
    assert figures.badness(scene, sentence, view_of(other), 0) > 20
    assert figures.badness(scene, sentence, view_of(scene), 0) < 1


def test_a_prop_that_no_word_names_is_not_asked_for(figures, scenes):
    scene = scenes.Scene(
        "teaches", 1, "in a village", (scenes.Actor(scenes.SAGE),), scenes.SCHOOL, 2
    )
    assert not figures.asked_for(scene, "a gurukul in a village")["prop"]
    assert figures.asked_for(scene, "a sage teaching students in a village school")["prop"]


def test_pairs_differ_in_their_names_only(figures, scenes):
    pairs = []
    for number in range(400):
        scene, sentence = figures.scene_and_sentence(9, number)
        assert figures.scene_and_sentence(9, number) == (scene, sentence)
        told = figures.in_both_words(scene, number)
        if told is None:
            continue
        pairs.append(told)
        names = [name.lower() for name in scenes.load_world().names(scene.actors[0].code)]
        canonical, other = (re.sub(r"[^a-z' ]", "", text.lower()) for text in told)
        if not any(len(name.split()) > 1 for name in names):  # odd words may part two
            assert names[0] in canonical
            assert any(name in other for name in names[1:])
    assert len(pairs) > 40
    assert all(canonical != other for canonical, other in pairs)


def test_spread_is_the_mean_of_pairs(figures):
    corners = torch.tensor([[0.0, 0.0], [3.0, 4.0], [3.0, 0.0]])
    assert figures.spread(corners) == pytest.approx((5 + 3 + 4) / 3)


def test_a_character_is_named_only_if_every_judge_says_that_it_is_there(figures, scenes):
    scene = scenes.Scene("alone", 1, None, (scenes.Actor("1f98a"),))
    sure, unsure = view_of(scene), view_of(scene)
    unsure.characters[:] = -5.0  # the likeliest of all, but not there
    other = view_of(scenes.Scene("alone", 1, None, (scenes.Actor("1f43b"),)))
    assert figures.is_named(scene, [sure, sure], 0)
    assert not figures.is_named(scene, [sure, unsure], 0)
    assert not figures.is_named(scene, [other, sure], 0)
