"""The jsonschema-rs library has the last word, also where our own walk saw nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from lorakit.diagnostics import InvalidDocument
from lorakit.language import load
from lorakit.language.yaml import verdict
from lorakit.language.yaml.schema import Schema


def test_what_only_the_library_objects_to_is_told_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Our walk is blinded: the error must come all the same."""
    path = tmp_path / "board.yaml"
    path.write_text(
        "storyboard: 1\nlook:\n  num_inference_steps: 0\nscenes:\n  - sentences: [a fox]\n"
    )
    monkeypatch.setattr(Schema, "check", lambda *_: None)
    with pytest.raises(InvalidDocument) as caught:
        load(path)
    (error,) = caught.value.errors
    assert error.code == "invalid"
    assert error.place is not None
    assert (error.place.line, error.place.column) == (3, 24)
    assert "look.num_inference_steps does not meet the schema: 0 is less than" in error.message


def test_the_library_is_asked_about_every_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(verdict, "_validator", lambda file: asked.append(file) or _Content())
    (tmp_path / "board.yaml").write_text("storyboard: 1\nscenes:\n  - sentences: [a fox]\n")
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("recipe: 1\nsteps:\n  film: {kind: storyboard, storyboard: board.yaml}\n")
    load(recipe)
    assert sorted(asked) == ["recipe.schema.json", "storyboard.schema.json"]


class _Content:
    def iter_errors(self, _: object) -> list[object]:
        return []
