"""A character's own adapter: worn in the frames that it appears in, and in no others."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.func.test_adapters import make_adapter
from tests.support.runs import lorakit, run
from tests.support.small_projects import write_one_film

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
    make_adapter(tiny_sd, home / "made")
    return write_one_film(home, tiny_sd, BOARD)


@pytest.mark.slow
def test_it_is_worn_where_the_character_is_and_nowhere_else(project: Path) -> None:
    bare = BOARD.replace("weight: 0.8", "weight: 0")
    (project / "board.yaml").write_text(bare)
    first = run(project, "recipe.yaml")
    assert first.made_below() == {"meadow/1", "meadow/2", "meadow/3"}
    (project / "board.yaml").write_text(BOARD)
    worn = run(project, "recipe.yaml")
    assert worn.made_below() == {"meadow/1", "meadow/3"}
    before, after = first.pictures(), worn.pictures()
    assert {n[-7:-4] for n in before if before[n] != after[n]} == {"001", "003"}
    told = lorakit(project, "plan", "recipe.yaml", "--frames").stdout
    assert "a robot white bunny finds a golden key" in told
    assert "a fox meets a robot white bunny" in told
    (project / "board.yaml").write_text(BOARD.replace("0.8", "0.4"))
    assert run(project, "recipe.yaml").made_below() == {"meadow/1", "meadow/3"}


@pytest.mark.slow
def test_a_weight_that_changes_over_frames_loads_no_model_anew(project: Path) -> None:
    over = BOARD.replace("weight: 0.8", "weight: {first: 0.2, last: 0.8}")
    (project / "board.yaml").write_text(over)
    ran = run(project, "recipe.yaml")
    assert ran.made_below() == {"meadow/1", "meadow/2", "meadow/3"}
    assert ran.calls["unet"] == 3 * 2
    opened = [e for e in ran.events if e["type"] == "worker" and e["slot"] == "render"]
    seconds = [e["seconds"] for e in opened if e["state"] == "ready"]
    assert len(seconds) == 3
    assert sum(map(bool, seconds)) == 1, seconds
    # the last frame is the one of a board that has its weight everywhere, and the others are not
    (project / "board.yaml").write_text(BOARD)
    assert run(project, "recipe.yaml").made_below() == {"meadow/1"}
    (project / "board.yaml").write_text(
        over.replace("      - The fox meets", "      - The fox dances\n      - The fox meets")
    )
    assert run(project, "recipe.yaml").made_below() == {"meadow/3"}


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
