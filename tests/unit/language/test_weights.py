"""Weights of words as they are read, and what is seen of them elsewhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lorakit.language.story import weights
from lorakit.language.story.prompt_syntax import signs


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a (red hat:1.3) here", [("a ", 1), ("red hat", 1.3), (" here", 1)]),
        ("((a:1.2) b:1.5) c", [("a", 1.8), (" b", 1.5), (" c", 1)]),
        ("(a (b) c: .5)", [("a (b) c", 0.5)]),
        ("(red:1.2)(hat:1.3)", [("red", 1.2), (" hat", 1.3)]),
        ("(no 5:1.2)", [("no 5", 1.2)]),
        ("(at 10:30) (16:9) ((x)) (y)++ (:1.2)", [("(at 10:30) (16:9) ((x)) (y)++ (:1.2)", 1)]),
        ("\\(x:1.2\\) (open:1.3", [("\\(x:1.2\\) (open:1.3", 1)]),
        ("", []),
    ],
)
def test_words_are_cut_where_weights_change(text: str, expected: list[tuple[str, float]]) -> None:
    assert weights.pieces(text) == expected
    assert weights.plain(text) == "".join(words for words, _ in expected)
    assert weights.weighted(text) is any(weight != 1 for _, weight in expected)


@given(st.text(alphabet="ab ():.1\\-", max_size=40))
def test_any_text_is_read_and_its_marks_come_off(text: str) -> None:
    assert len(weights.without_marks(text)) == len(text)
    assert "".join(piece.text for piece in weights.pieces(text)) == weights.plain(text)
    assert weights.plain(text).replace(" ", "") == weights.without_marks(text).replace(" ", "")


def test_a_weight_takes_the_article_before_it_along() -> None:
    """So that a character's own article goes with its name, as it does without weights."""
    told = "The (bunny:1.2) with a (red:1.1) hat"
    assert weights.around_articles(told, ["bunny"].__contains__) == (
        "(The bunny:1.2) with a (red:1.1) hat"
    )
    for words in ("happy bunny", "bunny's key"):
        assert weights.around_articles(f"the ({words}:1.2)", ["bunny"].__contains__) == (
            f"(the {words}:1.2)"
        )
    assert weights.around_articles("the (bunny) runs", lambda _: True) == "the (bunny) runs"


@pytest.mark.parametrize(
    ("text", "way_out"),
    [
        ("((blurry))", "write (blurry:1.21)"),
        ("(fox)++", "write (fox:1.21)"),
        ("(fox)--", "write (fox:0.81)"),
        ("(fox)1.3", "write (fox:1.3)"),
        ("a fox::2 runs", "write (fox:2)"),
        ("((fox:1.3))", "write (fox:1.3), or (fox:1.43) for more"),
        ("(a fox:1.3 runs", "write (a fox:1.3)"),
    ],
)
def test_other_forms_of_a_weight_are_told_with_ours(text: str, way_out: str) -> None:
    (sign,) = signs(text)
    assert sign.hint == way_out


def test_captions_that_are_learnt_have_no_weights() -> None:
    assert [sign.written for sign in signs("a (fox:1.3)", weighed=False)] == ["(fox:1.3)"]
    assert not list(signs("a (fox:1.3)"))
