"""Which members a sweep has, what they are called, and what each is made of."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from lorakit.diagnostics import InvalidDocument
from lorakit.language import load
from lorakit.language.recipe.documents import GenerateStep, StoryboardStep, SweepStep, TrainTextStep

POSTERS = {"kind": "generate", "prompts": ["a fox", "an owl"]}
TEXTS = {"kind": "train-text", "data": "reviews"}


def sweep(folder: Path, **given: Any) -> SweepStep:
    recipe = {
        "recipe": 1,
        "seed": 7,
        "datasets": {"reviews": {"texts": "lorakit:movie-snippets"}},
        "steps": {"base": POSTERS, "many": {"kind": "sweep", **given}},
    }
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe, sort_keys=False))
    step = load(folder / "recipe.yaml").recipe.steps["many"]
    assert isinstance(step, SweepStep)
    return step


def names(step: SweepStep) -> list[str]:
    return [member.name for member in step.members]


def test_a_grid_has_every_combination_the_first_path_slowest(tmp_path: Path) -> None:
    over = {"guidance_scale": [2, 5.5], "num_inference_steps": [8, 16]}
    step = sweep(tmp_path, of="base", over=over)
    assert names(step) == [
        "guidance_scale=2,num_inference_steps=8",
        "guidance_scale=2,num_inference_steps=16",
        "guidance_scale=5.5,num_inference_steps=8",
        "guidance_scale=5.5,num_inference_steps=16",
    ]
    looks = [m.step.look for m in step.members if isinstance(m.step, GenerateStep)]
    assert [(one.guidance_scale, one.num_inference_steps) for one in looks] == [
        (2.0, 8),
        (2.0, 16),
        (5.5, 8),
        (5.5, 16),
    ]


def test_a_list_has_the_members_that_are_written_out(tmp_path: Path) -> None:
    over = [{"guidance_scale": 2}, {"guidance_scale": 5, "style": "ink drawing"}]
    step = sweep(tmp_path, of="base", over=over)
    assert names(step) == ["guidance_scale=2", "guidance_scale=5,style=ink-drawing"]
    looks = [m.step.look for m in step.members if isinstance(m.step, GenerateStep)]
    assert [one.style for one in looks] == ["", "ink drawing"]


def test_each_member_comes_once_with_each_seed_and_knows_its_like(tmp_path: Path) -> None:
    step = sweep(tmp_path, of="base", over={"guidance_scale": [2, 5]}, seeds=[1, 2])
    assert [(m.name, m.like) for m in step.members] == [
        ("guidance_scale=2,seed=1", "guidance_scale=2"),
        ("guidance_scale=2,seed=2", "guidance_scale=2"),
        ("guidance_scale=5,seed=1", "guidance_scale=5"),
        ("guidance_scale=5,seed=2", "guidance_scale=5"),
    ]
    seeds = [m.step.seed for m in step.members if isinstance(m.step, GenerateStep)]
    assert seeds == [1, 2, 1, 2]
    assert names(sweep(tmp_path, of="base", seeds=[3, 4])) == ["seed=3", "seed=4"]


def test_random_draws_the_same_members_again_and_more_keeps_the_fewer(tmp_path: Path) -> None:
    over = {
        "train.learning_rate": {"min": 1e-5, "max": 1e-3, "scale": "log"},
        "lora.rank": {"min": 2, "max": 64},
        "lora.target_modules": [["query", "value"], ["key"]],
    }
    few = sweep(tmp_path, of=TEXTS, over=over, random=4)
    more = sweep(tmp_path, of=TEXTS, over=over, random=8)
    other = sweep(tmp_path, of=TEXTS, over=over, random=4, seed=8)
    assert names(few) == names(more)[:4]
    assert len(set(names(more))) == 8
    assert set(names(few)).isdisjoint(names(other))
    steps = [m.step for m in more.members if isinstance(m.step, TrainTextStep)]
    rates = [step.train.learning_rate for step in steps]
    assert all(rate is not None and 1e-5 <= rate <= 1e-3 for rate in rates)
    assert min(r for r in rates if r) < 1e-4  # drawn from the logarithms: half lie below
    assert all(2 <= step.lora.rank <= 64 for step in steps)
    assert {step.lora.target_modules for step in steps} == {("query", "value"), ("key",)}


def test_a_step_in_the_sweep_itself_is_made_by_its_members_alone(tmp_path: Path) -> None:
    step = sweep(tmp_path, of=TEXTS, over={"lora.rank": [2, 4]})
    assert list(load(tmp_path / "recipe.yaml").recipe.steps) == ["base", "many"]
    assert [m.step.name for m in step.members] == ["many/rank=2", "many/rank=4"]


def test_a_path_goes_on_into_the_storyboard(tmp_path: Path) -> None:
    board = {
        "storyboard": 1,
        "seed": 5,
        "scenes": [{"name": "s", "sentences": ["A fox", "An owl"]}],
    }
    (tmp_path / "board.yaml").write_text(yaml.safe_dump(board))
    film = {"kind": "storyboard", "storyboard": "board.yaml"}
    over = {"storyboard.chain.strength": [0.3, 0.9], "storyboard.scenes.s.setting": ["on mars"]}
    step = sweep(tmp_path, of=film, over=over, seeds=[8])
    assert names(step) == [
        "strength=0.3,setting=on-mars,seed=8",
        "strength=0.9,setting=on-mars,seed=8",
    ]
    boards = [m.step.board for m in step.members if isinstance(m.step, StoryboardStep)]
    assert [b.scenes[0].sentences[1].strength for b in boards] == [0.3, 0.9]
    assert [b.seed for b in boards] == [8, 8]
    assert [b.scenes[0].setting for b in boards] == ["on mars", "on mars"]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "default"),
        (True, "true"),
        (-0.5, "-0.5"),
        (1e-05, "1e-05"),
        (0.123456789, "0.123456789"),
        ("3d, soft", "3d-soft"),
        ("../up", "up"),
        ([1, 2], "1+2"),
        ("élan, café", "élan-café"),
        ("水彩", "水彩"),
        ("😀", "no1"),
        ({"ink": 0.8, "wash": -1}, "ink-0.8-wash-1"),
        ("con", "con"),
        ("a: b/c\\d?*", "a-b-c-d"),
        ("word " * 30, "word-word-word-word-word-word-word-word"),
    ],
)
def test_a_name_is_fit_for_a_folder_on_every_system(tmp_path: Path, value: Any, said: str) -> None:
    assert names(sweep(tmp_path, of="base", over={"x-mine": [value]})) == [f"x-mine={said}"]


def test_labels_show_values_whatever_their_letters(tmp_path: Path) -> None:
    styles = ["watercolour, soft", "watercolour soft", "café", "Café", "水彩", "水墨", "😀", "🐰"]
    step = sweep(tmp_path, of="base", over={"style": styles})
    assert [dict(m.values)["style"] for m in step.members] == styles
    assert names(step) == [
        "style=watercolour-soft",
        "style=watercolour-soft-2",
        "style=café",
        "style=Café-2",
        "style=水彩",
        "style=水墨",
        "style=no7",
        "style=no8",
    ]


def test_two_paths_with_one_last_key_are_told_apart(tmp_path: Path) -> None:
    step = sweep(tmp_path, of="base", over={"x-a.seed": [1], "x-b.seed": [2], "style": ["ink"]})
    assert names(step) == ["x-a.seed=1,x-b.seed=2,style=ink"]


def test_what_is_wrong_with_every_member_is_told_once(tmp_path: Path) -> None:
    with pytest.raises(InvalidDocument) as caught:
        sweep(tmp_path, of={**TEXTS, "max_lenght": 9}, over={"lora.rank": [2, 4, 8]})
    assert [one.code for one in caught.value.diagnostics] == ["unknown-key"]


def test_settings_and_profiles_reach_a_sweep(tmp_path: Path) -> None:
    sweep(tmp_path, of="base", over={"guidance_scale": [2, 5]})
    given = ["steps.many.over={guidance_scale: [3]}", "steps.base.num_inference_steps=9"]
    step = load(tmp_path / "recipe.yaml", settings=given).recipe.steps["many"]
    assert isinstance(step, SweepStep)
    (member,) = step.members
    assert isinstance(member.step, GenerateStep)
    assert (member.step.look.guidance_scale, member.step.look.num_inference_steps) == (3.0, 9)


def test_reading_is_linear_in_the_members(tmp_path: Path) -> None:
    def seconds(count: int) -> float:
        began = time.process_time()
        step = sweep(tmp_path, of=TEXTS, over={"lora.rank": list(range(1, count + 1))})
        assert len(step.members) == count
        return time.process_time() - began

    seconds(10)
    few, many = seconds(100), seconds(1000)
    assert many < 30 * few  # ten times as many; quadratic would be a hundred


def test_a_sweep_of_more_pictures_than_anyone_waits_for_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand members of a long storyboard would be read for an hour before they were counted."""
    monkeypatch.setattr("lorakit.language.boards.MOST_PICTURES", 8)
    (tmp_path / "board.yaml").write_text("storyboard: 1\nscenes: [{sentences: [a, b, c]}]\n")
    path = tmp_path / "recipe.yaml"
    path.write_text(
        "recipe: 1\nsteps:\n  many:\n    kind: sweep\n    seeds: [1, 2, 3, 4]\n"
        "    of: {kind: storyboard, storyboard: board.yaml}\n"
    )
    with pytest.raises(InvalidDocument, match="too-many-pictures") as caught:
        load(path)
    assert len(caught.value.errors) == 1
