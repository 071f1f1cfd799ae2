"""Pictures of `generate`: their prompts and the engine they share."""

from __future__ import annotations

from pathlib import Path

from tests.support.planning import plan_of

RECIPE = """\
recipe: 1
models: {studio: {from: "lorakit:studio"}}
steps:
  posters:
    kind: generate
    model: studio
    style: soft illustration
    prompts: ["A fox finds a key.", "Who is it?"]
    images_per_prompt: 2
"""


def test_prompts_are_derived_as_a_storyboard_derives_them(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    actions = [p.action for p in plan_of(tmp_path / "recipe.yaml").actions]
    pictures = [action for action in actions if action.kind == "frame"]
    assert [action.label for action in pictures[::2]] == [
        "soft illustration, A fox finds a key",
        "soft illustration, Who is it?",
    ]


def test_pictures_of_one_size_share_one_engine(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    actions = [p.action for p in plan_of(tmp_path / "recipe.yaml").actions]
    engines = [action.engine for action in actions if action.kind == "frame"]
    assert all(engine is engines[0] for engine in engines)
