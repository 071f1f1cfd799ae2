from __future__ import annotations

import re
from pathlib import Path

import corpus
import pytest

import lorakit.language

LANGUAGE = Path(lorakit.language.__file__).parent
# a file that is too large, or cannot be read at all, does not belong into a repository: see the unit tests
ELSEWHERE = {"too-large", "unreadable", "invalid", "too-many-sentences"}
CODE = re.compile(
    r"""(?:findings\.(?:error|warning)|_fail|_wrong|Trap)\(\s*"([a-z]+(?:-[a-z]+)*)","""
)


@pytest.mark.parametrize("case", corpus.cases(), ids=corpus.name)
def test_a_bad_document_gets_its_message(case: Path) -> None:
    expected = corpus.golden(case).read_text(encoding="utf-8")
    assert corpus.text(case) == expected, "to accept the new text: python tests/corpus/corpus.py"


@pytest.mark.parametrize("case", corpus.cases(), ids=corpus.name)
def test_a_case_stands_in_its_code_s_folder(case: Path) -> None:
    codes = {one.code for one in corpus.found(case)}
    assert corpus.name(case).split("/", maxsplit=1)[0] in codes


def test_the_corpus_is_large_enough() -> None:
    assert len(corpus.cases()) >= 150


def test_every_code_occurs() -> None:
    in_source = {
        code for file in LANGUAGE.rglob("*.py") for code in CODE.findall(file.read_text("utf-8"))
    }
    in_corpus = {one.code for case in corpus.cases() for one in corpus.found(case)}
    assert len(in_source) > 30
    assert in_source - in_corpus == ELSEWHERE
