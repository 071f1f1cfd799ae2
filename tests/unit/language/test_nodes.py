from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lorakit.diagnostics import render_text
from lorakit.language.yaml.findings import Findings
from lorakit.language.yaml.nodes import Node, Source


def test_a_spot_stays_inside_the_text() -> None:
    source = Source(Path("x"), "x", "one\ntwo")
    assert source.spot(9, 9)[1:] == (2, 4, 1)
    assert source.spot(0, 0, 0)[1:] == (1, 1, 1)
    assert source.spot(1, 2, 2).excerpt == "one"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\x85", "\u2028"])
def test_lines_end_where_yaml_s_do(end: str) -> None:
    source = Source(Path("x"), "x", f"one{end}two{end}")
    assert source.lines == ("one", "two", "")
    assert source.spot_at(len("one" + end))[1:] == (2, 1, 1)


@given(st.text(alphabet="ab \n\r", max_size=30), st.data())
def test_an_index_and_its_spot_agree(text: str, data: st.DataObject) -> None:
    source = Source(Path("x"), "x", text + ".")
    index = data.draw(st.integers(0, len(text)))
    spot = source.spot_at(index)
    if source.text[index] not in "\n\r":
        assert spot.excerpt[spot.column - 1] == source.text[index]


def test_a_value_of_several_lines_is_shown_as_far_as_its_first() -> None:
    source = Source(Path("x"), "x", "a: 'one\n  two'\n")
    assert Node("one two", source, 3, 14, 1, 4, "'").spot[1:] == (1, 4, 4)


def test_what_a_terminal_would_obey_is_not_shown() -> None:
    findings = Findings()
    findings.error("x", "wrong", Source(Path("x"), "x", "a\x1b[31mb\x9b").spot(1, 1))
    assert "\x1b" not in render_text(findings.all)
    assert "\x9b" not in render_text(findings.all)


def test_findings_are_true_once_one_is_fatal() -> None:
    findings = Findings()
    findings.warning("x", "careful", None)
    assert not findings
    findings.error("x", "wrong", None, "", "a way out")
    assert findings
    assert findings.all[1].hints == ("a way out",)
