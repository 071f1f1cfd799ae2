from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lorakit.language.story.sentences import split
from lorakit.language.yaml.findings import Findings
from lorakit.language.yaml.nodes import Source
from lorakit.language.yaml.source import compose


def found(text: str) -> list[tuple[str, int, int]]:
    root = compose(Source(Path("x"), "x", text), Findings())
    assert isinstance(root.value, dict)
    return [(sentence, spot.line, spot.column) for sentence, spot in split(root.value["text"])]


@pytest.mark.parametrize("header", [">", "|", ">-", "|2"])
def test_each_sentence_knows_where_it_begins(header: str) -> None:
    text = f"text: {header}\n  The bunny waits. He finds\n  a key. Then he\n  sleeps!\n"
    assert found(text) == [
        ("The bunny waits.", 2, 3),
        ("He finds a key.", 2, 20),
        ("Then he sleeps!", 3, 10),
    ]


def test_a_blank_line_ends_a_sentence() -> None:
    assert found("text: |\n  A fox\n\n  A bear.\n") == [("A fox", 2, 3), ("A bear.", 4, 3)]


def test_a_plain_and_a_quoted_paragraph() -> None:
    assert found("text: A fox. A bear.\n  An owl.\n") == [
        ("A fox.", 1, 7),
        ("A bear.", 1, 14),
        ("An owl.", 2, 3),
    ]
    assert found('text: "A fox. A bear."\n') == [("A fox.", 1, 8), ("A bear.", 1, 15)]


def test_sentences_that_are_alike_have_places_of_their_own() -> None:
    assert found("text: >\n  A fox. A fox.\n  A fox.\n") == [
        ("A fox.", 2, 3),
        ("A fox.", 2, 10),
        ("A fox.", 3, 3),
    ]


def test_numbers_and_titles_do_not_split() -> None:
    assert len(found("text: The fox has 3.5 apples at 2 p.m. in the garden.\n")) == 1


@given(
    st.lists(
        st.sampled_from(["A fox.", "The bear sleeps!", "Who?", "An owl", "e.g. this"]),
        min_size=1,
        max_size=12,
    )
)
def test_no_word_is_lost(sentences: list[str]) -> None:
    text = "text: >\n" + "".join(f"  {sentence}\n" for sentence in sentences)
    assert " ".join(one[0] for one in found(text)).split() == " ".join(sentences).split()
