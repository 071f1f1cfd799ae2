"""Who names a document that is not there is told what is."""

from __future__ import annotations

from pathlib import Path

import pytest

import lorakit
from lorakit.diagnostics import InvalidDocument

BOARD = "storyboard: 1\nscenes:\n  - sentences: [a fox]\n"


def hints(path: str) -> tuple[str, ...]:
    with pytest.raises(InvalidDocument) as caught:
        lorakit.load(path)
    return caught.value.diagnostics[0].hints


def test_what_may_be_meant_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "lorakit init" in hints("recipe.yaml")[0]
    (tmp_path / "storyboards").mkdir()
    for name in ("bunny.yaml", "mars.yaml"):
        (tmp_path / "storyboards" / name).write_text(BOARD)
    (tmp_path / "other.yaml").write_text("a: b\n")
    assert hints("buny.yaml") == ("did you mean storyboards/bunny.yaml?",)
    assert hints("recipe.yaml") == ("here are: storyboards/bunny.yaml, storyboards/mars.yaml",)
    assert hints("x" * 400) == hints("recipe.yaml")


def test_what_is_there_and_cannot_be_read_is_no_slip_of_the_pen(tmp_path: Path) -> None:
    assert hints(str(tmp_path)) == ()
