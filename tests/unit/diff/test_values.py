"""What differs between two documents, and between two texts."""

from __future__ import annotations

from pathlib import Path

import pytest

from lorakit.diff.values import changed_values
from lorakit.diff.words import compared
from lorakit.language.yaml import source
from lorakit.language.yaml.findings import Findings
from lorakit.language.yaml.nodes import Node, Source
from lorakit.ui.diff_words import marked, pieces_of


def tree(text: str, name: str = "a.yaml") -> Node:
    return source.compose(Source(Path(name), name, text), Findings())


def changes(before: str, after: str) -> list[tuple[str, str | None, str | None]]:
    found = changed_values(tree(before, "old.yaml"), tree(after, "new.yaml"))
    return [(".".join(one.path), one.before, one.after) for one in found]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("seed: 1", "seed: 1  # as before", []),
        ("seed: 1", "seed: 1.0", []),
        ("seed: 1", "seed: true", [("seed", "1", '["bool", true]')]),
        ("a: {b: 1, c: 2}", "a: {c: 2, b: 1}", []),
        ("a: {b: 1}", "a: {b: 2}", [("a.b", "1", "2")]),
        ("a: 1", "b: 1", [("b", None, "1"), ("a", "1", None)]),
        ("s: [x, y]", "s: [x, z, y]", [("s.2", None, "z")]),
        ("s: [x, y, z]", "s: [x, z]", [("s.2", "y", None)]),
        ("s: [x, y]", "s: [x, q]", [("s.2", "y", "q")]),
        (
            "s: [{name: one, t: [a, b]}, {name: two, t: [c]}]",
            "s: [{name: new, t: [q]}, {name: one, t: [a, b]}, {name: two, t: [d]}]",
            [("s.new", None, '{"name": "new", "t": ["q"]}'), ("s.two.t.1", "c", "d")],
        ),
        (
            "s: [a red fox runs home, b]",
            "s: [c, a red fox walks home, b]",
            [("s.1", None, "c"), ("s.2", "a red fox runs home", "a red fox walks home")],
        ),
        ("s: [the fox]", "s: [{text: the fox, hold: 2}]", [("s.1", "the fox", "the fox")]),
        ("a: &x [1]\nb: *x", "a: &x [2]\nb: *x", [("a.1", "1", "2"), ("b.1", "1", "2")]),
    ],
)
def test_values(
    before: str, after: str, expected: list[tuple[str, str | None, str | None]]
) -> None:
    assert changes(before, after) == expected


def test_places_are_of_the_side_on_which_a_value_stands() -> None:
    before = tree("a: 1\nb: 2\n", "old.yaml")
    after = tree("c: 3\na: 9\n", "new.yaml")
    found = {one.path: one for one in changed_values(before, after)}
    assert str(found["c",].place) == "new.yaml:1:1"
    assert (str(found["a",].before_place), str(found["a",].place)) == (
        "old.yaml:1:4",
        "new.yaml:2:4",
    )
    assert found["b",].place is None
    assert str(found["b",].before_place) == "old.yaml:2:1"


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ("He finds a golden key", "He finds a silver key", "He finds a [-golden-]{+silver+} key"),
        ("a fox", "a fox at night", "a fox{+ at night+}"),
        ("a big red fox", "a fox", "a [-big red -]fox"),
        ("the old man sat", "a young man stood", "[-the old-]{+a young+} man [-sat-]{+stood+}"),
        ("one two three", "four five six", "[-one two three-]{+four five six+}"),
        ("same", "same", "same"),
    ],
)
def test_words(before: str, after: str, shown: str) -> None:
    assert marked(compared(before, after)) == shown


def test_words_put_together_are_the_texts_again() -> None:
    texts = (
        "The fox, \u201cquick\u201d \u72d0\u72f8, runs.",
        "A \u72d0\u72f8 \u2014 quick! \U0001f98a runs  home.",
        "",
    )
    for before in texts:
        for after in texts:
            pieces = list(compared(before, after))
            assert "".join(t for what, t in pieces if what != "new") == before
            assert "".join(t for what, t in pieces if what != "gone") == after


def test_a_long_sentence_is_cut_where_it_stays() -> None:
    long = " ".join(f"word{n}" for n in range(80))
    before, after = tree(f"t: {long} red {long}"), tree(f"t: {long} blue {long}")
    (change,) = changed_values(before, after)
    assert marked(pieces_of(change)) == (
        "\u2026 word77 word78 word79 [-red-]{+blue+} word0 word1 word2 \u2026"
    )
