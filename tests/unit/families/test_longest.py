"""Sizes beyond those that a transformer has places for are told by the plan, not by diffusers in a run."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import lorakit
from lorakit.diagnostics import InvalidDocument
from lorakit.facts.files.digests import Unread
from lorakit.facts.models.model_lookup import model_facts
from lorakit.language.recipe.documents import ModelSource
from tests.unit.families.test_drawn import by_hand, loaded

RECIPE = """recipe: 1
models: {m: {from: model}}
steps: {film: {kind: storyboard, storyboard: board.yaml, model: m}}
"""
BOARD = """storyboard: 1
look: {width: WIDTH, height: 256}
scenes: [{name: meadow, sentences: [{text: A fox walks., upscale: {by: BY, with: img2img}}]}]
"""


@pytest.fixture
def sd3(tiny_transformer: Callable[[str], Path]) -> Path:
    return tiny_transformer("sd3")


def test_a_size_beyond_its_places_is_what_diffusers_refuses(sd3: Path) -> None:
    facts = model_facts(ModelSource("m", str(sd3), "auto", None), Unread())
    longest = facts.traits.longest(facts.configs)
    assert longest == 256
    with pytest.raises(ValueError, match="pos_embed_max_size"):
        by_hand(loaded(sd3), "sd3", width=longest + 16, num_inference_steps=1)


@pytest.mark.parametrize(
    ("width", "by", "told"),
    [
        (512, 1.5, "cannot draw 512x256: it has places for 256 px a side at the most"),
        (256, 2, "cannot draw 512x512: it has places for 256 px a side at the most"),
    ],
)
def test_a_plan_tells_of_it(width: int, by: float, told: str, sd3: Path, tmp_path: Path) -> None:
    board = BOARD.replace("WIDTH", str(width)).replace("BY", str(by))
    (tmp_path / ".lorakit").mkdir()
    shutil.copytree(sd3, tmp_path / "model")
    (tmp_path / "board.yaml").write_text(board)
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    with pytest.raises(InvalidDocument) as refused:
        lorakit.load(tmp_path / "recipe.yaml").check()
    assert [d.code for d in refused.value.diagnostics].count("size") >= 1
    assert any(told in d.message for d in refused.value.diagnostics)
