from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lorakit.language import FolderReader
from lorakit.language.yaml import composer, source
from lorakit.language.yaml.findings import Findings, Unreadable
from lorakit.language.yaml.nodes import Node, Source


def composed(text: str) -> Node:
    findings = Findings()
    node = source.compose(Source(Path("x.yaml"), "x.yaml", text), findings)
    assert not findings.all
    return node


def plain(node: Node) -> Any:
    if isinstance(node.value, dict):
        return {key: plain(child) for key, child in node.value.items()}
    if isinstance(node.value, list):
        return [plain(child) for child in node.value]
    return node.value


def code_of(text: str) -> str:
    findings = Findings()
    with pytest.raises(Unreadable):
        source.compose(Source(Path("x.yaml"), "x.yaml", text), findings)
    return findings.all[-1].code


def test_nodes_know_their_place() -> None:
    node = composed("a: 1\nb:\n  - x\n  - {c: 'two words'}\n")
    assert isinstance(node.value, dict)
    first, second = node.value["b"].value
    assert (first.line, first.column) == (3, 5)
    inner = second.value["c"]
    assert inner.spot[1:] == (4, 9, len("'two words'"))
    assert second.key_spot("c")[1:] == (4, 6, 1)
    assert node.key_spot("b")[1:] == (2, 1, 1)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end_and_a_byte_order_mark_are_accepted(tmp_path: Path, end: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + f"a: 1{end}b: [2,{end} 3]{end}".encode())
    read = source.read(FolderReader(), path, Findings())
    node = source.compose(read, Findings())
    assert plain(node) == {"a": 1, "b": [2, 3]}
    assert read.lines[1] == "b: [2,"
    assert isinstance(node.value, dict)
    assert node.value["b"].value[1].spot[1:] == (3, 2, 1)


def test_places_count_characters_not_bytes() -> None:
    node = composed('- ["🐰é", b]\n')
    assert node.value[0].value[1].column == 10


def test_an_alias_is_the_node_it_names() -> None:
    node = composed("a: &x [1]\nb: *x\n")
    assert isinstance(node.value, dict)
    assert node.value["b"] is node.value["a"]


def test_a_hundred_levels_pass_and_one_more_does_not() -> None:
    deep = composer.MOST_DEPTH
    composed("[" * deep + "]" * deep)
    assert code_of("[" * (deep + 1) + "]" * (deep + 1)) == "too-deep"


def test_nodes_are_counted_with_their_aliases_written_out() -> None:
    row = "[" + "1," * 999 + "]"
    composed(f"a: &a {row}\nb: [{','.join(['*a'] * 98)}]\n")
    assert code_of(f"a: &a {row}\nb: [{','.join(['*a'] * 101)}]\n") == "too-many-nodes"


def test_a_bomb_is_refused_at_once() -> None:
    levels = "abcdefghijklmnopqrstuvwxyz"
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [f"{b}: &{b} [{', '.join(['*' + a] * 9)}]" for a, b in pairwise(levels)]
    assert code_of("\n".join(lines)) == "too-many-nodes"


def test_a_file_of_more_than_five_megabytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(b"#" * (source.MOST_BYTES + 1))
    findings = Findings()
    with pytest.raises(Unreadable):
        source.read(FolderReader(), path, findings)
    assert findings.all[0].code == "too-large"
    assert "5.0 MB" in findings.all[0].message


@pytest.mark.parametrize("name", ["nothing.yaml", "folder", "x" * 400])
def test_what_cannot_be_read_is_told_without_a_traceback(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    findings = Findings()
    with pytest.raises(Unreadable):
        source.read(FolderReader(), tmp_path / name, findings)
    assert findings.all[0].code == "unreadable"


def test_without_libyaml_the_same_tree_comes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    import yaml

    text = "a: 1e-4\nb: [no, 012, 12:30]\nc: >\n  two\n  lines\nd: &x {e: 'f'}\ng: *x\n"
    with_libyaml = composed(text)
    monkeypatch.setattr(composer, "_LOADER", yaml.SafeLoader)
    without = composed(text)
    assert plain(without) == plain(with_libyaml)
    assert isinstance(without.value, dict)
    assert without.value["c"].spot[1:] == with_libyaml.value["c"].spot[1:]
    assert code_of("a: {b") == "yaml-syntax"


@given(st.text(max_size=60))
def test_any_text_is_a_tree_or_refused(text: str) -> None:
    findings = Findings()
    try:
        source.compose(Source(Path("x.yaml"), "x.yaml", text), findings)
    except Unreadable:
        assert findings


@given(st.binary(max_size=60))
def test_any_bytes_are_a_text_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "bytes.yaml"
    path.write_bytes(data)
    findings = Findings()
    try:
        source.read(FolderReader(), path, findings)
    except Unreadable:
        assert findings
