"""The judge that ships, and the examiner: what they may do, refuse to do, and see."""

from __future__ import annotations

import importlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lorakit import resources
from lorakit.diagnostics import LorakitError
from lorakit.rendering.judge import NEEDED, Judge, likeness, load_judge

ROOT = Path(__file__).resolve().parents[2]
HOLOGRAMS = sorted((ROOT / "data" / "hologram").glob("*.png"))
MAIN = [  # of the ten pictures, in order; None where nobody is the main character
    "robot", "wizard", None, "meditating child", None, "white bunny", "fox", "alien", "owl", "lion",
]  # fmt: skip


@pytest.fixture(scope="module")
def judge() -> Judge:
    return load_judge()


def test_the_judge_is_small_and_fit(judge):
    folder = resources.path("judge")
    assert sum(path.stat().st_size for path in folder.iterdir()) < 3_000_000
    own = judge.card["accuracy"]
    assert own["pictures"] >= 2000
    assert own["plain"]["main"] >= NEEDED


def test_judge_and_examiner_share_neither_build_nor_seeds(judge):
    examiner = json.loads((ROOT / "studio" / "examiner" / "judge.json").read_text("utf-8"))
    assert examiner["build"] != judge.card["build"]
    assert examiner["trained"]["seed"] != judge.card["trained"]["seed"]
    assert list(examiner["characters"]) == list(judge.card["characters"])


def test_it_names_the_characters_of_styled_pictures_of_another_size(judge):
    verdicts = judge.look([Image.open(path) for path in HOLOGRAMS])
    asked = [(v.main, name) for v, name in zip(verdicts, MAIN, strict=True) if name]
    assert sum(saw == name for saw, name in asked) >= 5, (
        asked
    )  # styles this strong are not its trade


@pytest.mark.slow
def test_a_verdict_depends_on_its_picture_alone(judge):
    images = [Image.open(path) for path in HOLOGRAMS]
    together, alone = judge.look(images), [judge.look([image])[0] for image in images]
    for one, other in zip(together, alone, strict=True):
        assert one.main == other.main
        assert one.certainty == pytest.approx(other.certainty, abs=1e-3)
        assert likeness(one, other) == pytest.approx(1, abs=1e-4)
        assert one.embedding.shape == (64,)
    assert judge.look([]) == []


def test_likeness_is_higher_between_two_of_one_than_between_two(judge):
    fox, owl = (Image.open(HOLOGRAMS[n]) for n in (6, 8))
    shifted = Image.fromarray(np.roll(np.asarray(fox), (6, 6), (0, 1)))
    first, again, other = judge.look([fox, shifted, owl])
    assert likeness(first, again) > likeness(first, other) + 0.2


@pytest.fixture
def copy(tmp_path):
    return Path(shutil.copytree(resources.path("judge"), tmp_path / "judge"))


def change(folder: Path, **values: object) -> None:
    card = json.loads((folder / "judge.json").read_text("utf-8"))
    (folder / "judge.json").write_text(json.dumps(card | values), encoding="utf-8")


def test_one_that_names_too_few_may_not_judge(copy):
    change(copy, accuracy={"plain": {"main": 0.9713}})
    with pytest.raises(LorakitError, match=r"names 97\.1% .* may not judge below 98%: train it"):
        load_judge(copy)


@pytest.mark.parametrize("harm", ["no weights", "other build", "cut short", "no card", "not json"])
def test_what_cannot_be_loaded_says_so(copy, harm):
    weights, card = copy / "judge.safetensors", copy / "judge.json"
    if harm == "no weights":
        weights.unlink()
    elif harm == "other build":
        change(copy, build="next")
    elif harm == "cut short":
        weights.write_bytes(weights.read_bytes()[:1000])
    elif harm == "no card":
        card.unlink()
    else:
        card.write_text("{")
    with pytest.raises(LorakitError, match=r"the judge in .*judge cannot be loaded: "):
        load_judge(copy)


def test_it_names_composed_pictures(judge, art):
    names = ("compose", "painting", "scenes")
    compose, painting, scenes = (importlib.import_module(name) for name in names)
    world = scenes.load_world()
    some = [scene for n in range(130) if (scene := compose.scene_number(77, n)).actors][:100]
    verdicts = judge.look([painting.paint(scene, art) for scene in some])
    names = [world.characters[scene.actors[0].code][0] for scene in some]
    assert sum(v.main == name for v, name in zip(verdicts, names, strict=True)) >= 94
