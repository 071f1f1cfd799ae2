"""A model that draws without guidance never meets a negative prompt."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from lorakit import resources
from lorakit.session import load

BOARD = """\
storyboard: 1
look: {negative_prompt: blurry%s}
scenes:
  - sentences: [a fox, {text: an owl%s}]
"""


@pytest.fixture
def distilled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The studio model as if it were made for a guidance scale of 1, as Turbo models are for 0."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(resources.path("studio"), tmp_path / "distilled")
    told = tmp_path / "distilled" / "studio.json"
    told.write_text(json.dumps({**json.loads(told.read_text()), "default_guidance_scale": 1.0}))
    (tmp_path / "recipe.yaml").write_text(
        "recipe: 1\nmodels: {distilled: {from: distilled}}\nsteps:\n"
        "  film: {kind: storyboard, storyboard: board.yaml}\n"
        "  more: {kind: generate, prompts: [a fox], negative_prompt: dark}\n"
    )
    return tmp_path


def without_effect(folder: Path, board: str) -> list[tuple[str, int]]:
    (folder / "board.yaml").write_text(board)
    found = load("recipe.yaml").check()
    assert all(one.severity == "warning" for one in found)
    return [
        (one.place.file, one.place.line) for one in found if one.code == "no-effect" and one.place
    ]


def test_a_negative_prompt_at_a_model_s_own_guidance_of_1_is_told(distilled: Path) -> None:
    found = without_effect(distilled, BOARD % ("", ""))
    assert found == [("board.yaml", 2), ("recipe.yaml", 5)]


def test_one_frame_with_guidance_is_enough(distilled: Path) -> None:
    assert without_effect(distilled, BOARD % ("", ", guidance_scale: 3")) == [("recipe.yaml", 5)]
    assert without_effect(distilled, BOARD % (", guidance_scale: 3", "")) == [("recipe.yaml", 5)]
