from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lorakit.language.story.near_misses import NearMisses, ordinary


@pytest.mark.parametrize("word", ["buny", "bunnny", "bnuny", "bunmy", "Buny", "bunnye"])
def test_one_slip_is_found(word: str) -> None:
    assert [found[:2] for found in NearMisses(["bunny"]).find(f"The {word}.")] == [(word, "bunny")]


@pytest.mark.parametrize(
    "word", ["bunny", "bunnys", "funny", "sunny", "bun", "bunting", "runny", "Bunny"]
)
def test_names_plurals_and_other_words_are_no_slips(word: str) -> None:
    assert not list(NearMisses(["bunny"]).find(f"The {word}."))


@pytest.mark.parametrize(
    ("name", "word"),
    [("bear", "hear"), ("frog", "from"), ("mouse", "house"), ("monkey", "money"), ("tiger", "tier"),
     ("whale", "while"), ("ghost", "host"), ("lion", "line"), ("star", "stay"), ("twins", "wins")],
)  # fmt: skip
def test_ordinary_words_are_no_slips(name: str, word: str) -> None:
    assert not list(NearMisses([name]).find(word))


def test_short_names_have_no_near_misses() -> None:
    assert not list(NearMisses(["fox", "owl"]).find("The fax and the bowl and the foxy owls"))


def test_the_ordinary_words_are_words() -> None:
    assert len(ordinary()) > 800
    assert all(word.isalpha() and word.islower() and len(word) > 3 for word in ordinary())


@given(st.text(alphabet="abcdefgh", min_size=5, max_size=9), st.data())
def test_swapping_two_letters_inside_is_always_found(name: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(1, len(name) - 2))
    slip = name[:at] + name[at + 1] + name[at] + name[at + 2 :]
    if slip == name or slip in ordinary() or slip.startswith(name):
        return
    assert [found[1] for found in NearMisses([name]).find(slip)] == [name]
