from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lorakit.diagnostics import InvalidDocument
from lorakit.language import load
from lorakit.language.yaml import traps

PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=40)


@given(PRINTABLE)
def test_a_quoted_text_is_the_text(text: str) -> None:
    assert yaml.safe_load(f"- {traps.quoted(text)}") == [text]


@pytest.mark.parametrize(
    "sentence",
    [
        "{fox} finds a key", "[quietly] a fox", '"Hello" says the fox', "'Tis a fox", "@fox", "`fox`", "%fox",
        "& a fox", "* a fox", "> a fox", "| a fox", "the fox says: hello", "door #2 is open", "&fox runs",
        "a fox says:", '"Hi," it\'s the fox', "{fox}", "! a fox", "!Wow a fox",
    ],
)  # fmt: skip
@pytest.mark.parametrize("shape", ["- {}", "- text: {}"])
def test_the_corrected_line_says_what_was_meant(tmp_path: Path, sentence: str, shape: str) -> None:
    path = tmp_path / "b.yaml"
    line = shape.replace("{}", sentence, 1)
    path.write_text(
        f"storyboard: 1\ncharacters: {{fox: {{anchor: a fox}}}}\nscenes:\n  - sentences:\n    {line}\n"
    )
    with pytest.raises(InvalidDocument) as caught:
        load(path)
    hints = [hint for one in caught.value.errors for hint in one.hints if "write: " in hint]
    found = yaml.safe_load(hints[0].split("write: ", 1)[1])
    assert found in ([sentence], [{"text": sentence}])


@pytest.mark.parametrize(
    "line",
    [
        "- A fox  # a note",
        "- A fox",
        '- "A fox" # note',
        "- A fox-hound: no",
        "- it's a fox",
        "- A fox #",
        "- a#b",
    ],
)
def test_ordinary_sentences_are_no_traps(tmp_path: Path, line: str) -> None:
    path = tmp_path / "b.yaml"
    path.write_text(f"storyboard: 1\nscenes:\n  - sentences:\n    {line.replace(': no', ' no')}\n")
    assert load(path).recipe.steps


def test_an_anchor_that_is_used_is_meant(tmp_path: Path) -> None:
    path = tmp_path / "b.yaml"
    path.write_text("storyboard: 1\nscenes:\n  - sentences: [&a A fox, *a]\n")
    assert load(path).recipe.steps
