"""What a plan counts of a training on a GPU, held against torch's count of lorakit's own steps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks import memory
from lorakit.facts.models.model_facts import ModelFacts
from lorakit.facts.models.unet_layers import layer_sizes, trainable
from lorakit.families import FAMILIES, PUBLISHED
from lorakit.kinds.image_passes import picture_elements
from lorakit.language.recipe.trainings import LoraSettings
from tests.support import full_size
from tests.support.forked import forked
from tests.support.simulated_device import product_on_accelerator

pytestmark = pytest.mark.filterwarnings("ignore")

SD = "stable-diffusion-v1-5/stable-diffusion-v1-5"
SDXL = "stabilityai/stable-diffusion-xl-base-1.0"
FLUX = "black-forest-labs/FLUX.1-dev"
# as wide as published, and not as deep
SHALLOW: dict[str, dict[str, Any]] = {
    "sd": {
        **PUBLISHED[SD].configs["unet"],
        "block_out_channels": (320, 640),
        "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
        "layers_per_block": 1,
    },
    "flux": {"guidance_embeds": True, "num_layers": 1, "num_single_layers": 2},
}


def hold(name: str, config: dict[str, Any], side: int, rows: int, *, checkpointed: bool) -> None:
    with product_on_accelerator(values=False):
        found, weights = full_size.trained(name, config, side, rows, checkpointed=checkpointed)
    family = FAMILIES[name]
    facts = ModelFacts(
        "m", "m", name, None, None, token_limit=512, configs={family.denoiser: config}
    )
    kept, work = picture_elements(
        facts, (side / 8) ** 2, family.targets, checkpointed=checkpointed, wide_norms=True
    )
    count = trainable(layer_sizes(facts), family.targets, LoraSettings(rank=16)) or 0
    # Adam's two numbers, and autocast's copy in bf16
    assert weights + 8 * count + 2 * count + rows * 2 * (kept + work) == pytest.approx(
        found, rel=0.1
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sd", pytest.param("flux", marks=pytest.mark.slow)])
@forked
def test_what_a_step_holds_is_counted(name: str) -> None:
    hold(name, SHALLOW[name], 512, 2, checkpointed=False)


@pytest.mark.slow
@pytest.mark.parametrize("repository", [SD, SDXL, FLUX])
@pytest.mark.parametrize("checkpointed", [False, True])
@forked
def test_what_a_step_of_a_published_model_holds_is_counted(
    repository: str, checkpointed: bool
) -> None:
    family = next(f for f in FAMILIES.values() if repository in f.published)
    config = dict(PUBLISHED[repository].configs[family.denoiser])
    hold(family.name, config, 512, 4, checkpointed=checkpointed)


def test_the_benchmark_asks_a_plan_for_a_card(tmp_path: Path) -> None:
    (tmp_path / ".lorakit").mkdir()
    action = memory.planned(SDXL, "kind: generate, prompts: [a fox]", tmp_path)
    assert action.cost.memory - memory.PROCESS > 2 * 3_468_000_000  # bf16 of all networks


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sd", "sdxl"])
def test_a_plan_s_training_is_what_the_loop_holds_of_it(name: str, tmp_path: Path) -> None:
    (tmp_path / ".lorakit").mkdir()
    (row,) = memory.trainings(name, tmp_path, (512,), (1,))
    assert row.planned == pytest.approx(row.tracked, rel=0.1)
