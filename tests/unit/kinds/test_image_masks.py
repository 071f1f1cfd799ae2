"""What a plan makes of masks, where not every picture has one."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import lorakit
from tests.support.image_training import fox_recipe

pytestmark = pytest.mark.filterwarnings("ignore")


def actions(tiny_sd: Path, folder: Path, masked: int, step: str) -> list[Any]:
    """The plan of a training on three pictures, of which so many have masks, and on the same without any."""
    others = ", others: {images: others}"
    recipe = fox_recipe(folder, tiny_sd, f"{step}, train: {{max_train_steps: 1}}", more=others)
    shutil.copytree(folder / "foxes", folder / "others")
    for number in range(masked):
        white = Image.new("L", (64, 64), "white")
        white.save(folder / "foxes" / f"{number}-masklabel.png")
    return [planned.action for planned in lorakit.load(recipe).plan().actions]


def test_a_masked_picture_shares_no_latents_with_the_same_picture_unmasked(
    tiny_sd: Path, tmp_path: Path
) -> None:
    made = actions(tiny_sd, tmp_path, 2, "masked_loss: true, prior_data: others")
    latents = {a.id.rpartition("/")[2]: "mask" in a.task.key() for a in made if a.kind == "latents"}
    samples = next(a for a in made if a.kind == "train-image").task.samples
    told = [(one.prior, latents[one.latents]) for one in samples]
    assert told == [(False, True), (False, True), (False, False), *[(True, False)] * 3]
    # the third is the same in both, and encoded once
    assert len(latents) == 5


@pytest.mark.parametrize(
    ("masked", "step", "said"),
    [
        (2, "masked_loss: true", "2 of 3 pictures have a mask; the whole of the others is learnt"),
        (2, "masked_loss: true, prior_data: others", "2 of 6 pictures have a mask"),
        (3, "masked_loss: true", "only what its mask leaves white is learnt from each picture"),
        (3, "random_flip: true", ""),
    ],
)
def test_the_plan_says_how_many_pictures_have_a_mask(
    tiny_sd: Path, tmp_path: Path, masked: int, step: str, said: str
) -> None:
    made = actions(tiny_sd, tmp_path, masked, step)
    lines = next(a for a in made if a.kind == "train-image").notes
    about = [line for line in lines if "mask" in line]
    assert [line.startswith(said) for line in about] == ([True] if said else [])
