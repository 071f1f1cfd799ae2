"""A character's own adapter: worn in the frames that it appears in, and in no others."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.func.test_adapters import make_adapter
from tests.support.runs import Ran, lorakit, run

RECIPE = """recipe: 1
seed: 5
models: {m: {from: model, dtype: fp32}}
steps:
  film: {kind: storyboard, storyboard: board.yaml}
"""
BOARD = """storyboard: 1
look: {num_inference_steps: 2}
chain: {from: noise}
characters:
  bunny: {anchor: a white bunny, adapter: {from: made/pytorch_lora_weights.safetensors, weight: 0.8, trigger: robot}}
  fox: {anchor: a fox}
scenes:
  - name: meadow
    sentences:
      - The bunny finds a golden key
      - The fox looks at a wooden door
      - The fox meets the bunny
"""

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def project(tiny_sd: Path, home: Path) -> Path:
    shutil.copytree(tiny_sd, home / "model")
    make_adapter(home / "model", home / "made")
    (home / "recipe.yaml").write_text(RECIPE)
    (home / "board.yaml").write_text(BOARD)
    return home


def made(ran: Ran) -> set[str]:
    assert ran.code == 0, ran.events
    return {name.removeprefix("film/") for name in ran.made() if "sheet" not in name}


def test_it_is_worn_where_the_character_is_and_nowhere_else(project: Path) -> None:
    bare = BOARD.replace("weight: 0.8", "weight: 0")
    (project / "board.yaml").write_text(bare)
    first = run(project, "recipe.yaml")
    assert made(first) == {"meadow/1", "meadow/2", "meadow/3"}
    (project / "board.yaml").write_text(BOARD)
    worn = run(project, "recipe.yaml")
    assert made(worn) == {"meadow/1", "meadow/3"}
    before, after = first.pictures(), worn.pictures()
    assert {n[-7:-4] for n in before if before[n] != after[n]} == {"001", "003"}
    told = lorakit(project, "plan", "recipe.yaml", "--frames").stdout
    assert "a robot white bunny finds a golden key" in told
    assert "a fox meets a robot white bunny" in told
    (project / "board.yaml").write_text(BOARD.replace("0.8", "0.4"))
    assert made(run(project, "recipe.yaml")) == {"meadow/1", "meadow/3"}


TRAINED = """recipe: 1
seed: 5
models: {m: {from: model, dtype: fp32}}
datasets: {pictures: {images: "lorakit:hologram"}}
steps:
  rabbit:
    kind: train-image
    data: pictures
    resolution: 64
    train: {max_train_steps: 1, batch_size: 1}
  film: {kind: storyboard, storyboard: board.yaml}
"""


def test_a_character_wears_what_a_step_trains(project: Path) -> None:
    (project / "recipe.yaml").write_text(TRAINED)
    (project / "board.yaml").write_text(
        BOARD.replace("made/pytorch_lora_weights.safetensors", "rabbit")
    )
    told = lorakit(project, "plan", "recipe.yaml", "--json")
    assert told.returncode == 0, told.stderr
    import json

    actions = {a["id"]: a for a in json.loads(told.stdout)["actions"]}
    needs = {n: [i["action"] for i in a["inputs"]] for n, a in actions.items() if "meadow" in n}
    trained = next(name for name in actions if actions[name]["kind"] == "train-image")
    assert needs["film/meadow/1"] == needs["film/meadow/3"] == [trained]
    assert needs["film/meadow/2"] == []


def test_an_adapter_that_is_not_there_is_told_at_its_place(project: Path) -> None:
    text = BOARD.replace("made/pytorch_lora_weights.safetensors", "rabbit")
    (project / "board.yaml").write_text(text)
    told = lorakit(project, "validate", "recipe.yaml").stderr
    assert (
        "board.yaml:5:50: error[unknown-adapter]: the recipe has no adapter rabbit, "
        "and no step that trains it" in told
    ), told
    (project / "board.yaml").write_text(BOARD.replace("made/pytorch", "mad/pytorch"))
    told = lorakit(project, "validate", "recipe.yaml").stderr
    assert "board.yaml:5:50: error[missing-file]: there is no adapter at mad/" in told
