"""`lorakit resolve`: what recipes that build on each other come to, and where each value stands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import lorakit as package
from lorakit import resources
from tests.attack.commands import lorakit

BASE = """\
recipe: 1
seed: 7
steps:
  posters:
    kind: generate
    prompts:
      - a fox
      - {text: "an owl, # no comment", seed: 3}
    num_inference_steps: 20
profiles:
  quick: {steps: {posters: {num_inference_steps: 4}}}
"""
RECIPE = """\
recipe: 1
extends: base.yaml
steps:
  posters: {guidance_scale: 4.5, width: null}
  'two words': {kind: generate, prompts: ["yes"], adapters: {}}
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".lorakit").mkdir()
    (tmp_path / "base.yaml").write_text(BASE)
    (tmp_path / "recipe.yaml").write_text(RECIPE.replace("'two words'", "more"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_each_value_has_its_file_and_line(here: Path) -> None:
    said = lorakit("resolve", "--profile", "quick", "--set", "seed=9")
    assert said.code == 0
    assert said.text == (
        "recipe: 1                             # recipe.yaml:1\n"
        "seed: 9                               # --set:1\n"
        "steps:\n"
        "  posters:\n"
        "    kind: generate                    # base.yaml:5\n"
        "    prompts:\n"
        "      - a fox                         # base.yaml:7\n"
        "      - text: 'an owl, # no comment'  # base.yaml:8\n"
        "        seed: 3                       # base.yaml:8\n"
        "    num_inference_steps: 4            # base.yaml:11\n"
        "    guidance_scale: 4.5               # recipe.yaml:4\n"
        "  more:\n"
        "    kind: generate                    # recipe.yaml:5\n"
        "    prompts:\n"
        "      - 'yes'                         # recipe.yaml:5\n"
        "    adapters: {}                      # recipe.yaml:5\n"
    )
    assert lorakit("resolve").text.endswith("# profiles: quick (--profile NAME)\n")


def test_paths_are_those_of_set(here: Path) -> None:
    told = json.loads(lorakit("resolve", "--json").text)
    assert told["profiles"] == ["quick"]
    assert told["merged"]["steps"]["posters"]["num_inference_steps"] == 20
    for one in told["values"]:
        if one["path"] in ("recipe", "steps.posters.kind", "steps.more.adapters"):
            continue
        given = f"{one['path']}={json.dumps(one['value'])}"
        again = json.loads(lorakit("resolve", "--json", "--set", given).text)
        assert again["merged"] == told["merged"]
        (moved,) = [v for v in again["values"] if v["file"] == "--set"]
        assert moved["path"] == one["path"]


@pytest.mark.parametrize("name", ["quickstart", "bootcamp-image", "sweep-strength"])
def test_the_merged_yaml_is_the_same_recipe(name: str, tmp_path: Path) -> None:
    source = resources.path("recipes") / f"{name}.yaml"
    for folder in ("recipes", "storyboards"):
        (tmp_path / folder).mkdir()
    (tmp_path / ".lorakit").mkdir()
    for board in resources.path("storyboards").glob("*.yaml"):
        (tmp_path / "storyboards" / board.name).write_text(board.read_text("utf-8"), "utf-8")
    merged = tmp_path / "recipes" / f"{name}.yaml"
    merged.write_text(lorakit("resolve", str(source), "--yaml").text, "utf-8")
    assert "#" not in merged.read_text("utf-8")
    first, second = package.load(source), package.load(merged)
    assert second.project.recipe.steps.keys() == first.project.recipe.steps.keys()
    told = [
        json.loads(lorakit("resolve", str(p), "--json").text)["merged"] for p in (source, merged)
    ]
    assert told[0] == told[1]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["recip.yaml"], 3, "did you mean recipe.yaml?"),
        (["--profile", "fast"], 3, "error[unknown-profile]: "),
        (["--set", "sed=3"], 3, "--set:1:1: error[unknown-key]: "),
        (["--yaml", "--json"], 2, "--yaml or --json, not both"),
    ],
)
def test_wrong_words_are_answered(here: Path, words: list[str], code: int, says: str) -> None:
    said = lorakit("resolve", *words)
    assert said.code == code
    assert says in said.text


def test_a_file_s_name_cannot_leave_its_comment(here: Path) -> None:
    odd = here / "odd\nseed: 3\n.yaml"
    odd.write_text(BASE)
    lines = lorakit("resolve", str(odd)).text.splitlines()
    assert lines[0].endswith("odd\\nseed: 3\\n.yaml:1")
    assert "seed: 3" not in lines
