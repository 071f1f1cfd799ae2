"""A wave of published UNets at full size on the simulated accelerator: no step waits for the device."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from diffusers import EulerDiscreteScheduler

from lorakit.families import FAMILIES, PUBLISHED
from lorakit.rendering.cross_attention_cache import Stacker, cache_projections
from lorakit.rendering.prompt_encoder import Conditioning
from lorakit.rendering.schedules import Schedule
from lorakit.rendering.wave import Row, advance, predictor
from tests.support import full_size
from tests.support.forked import forked
from tests.support.simulated import NAME
from tests.support.simulated_device import product_on_accelerator

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.slow]


@pytest.mark.parametrize(
    "repository",
    [
        "stable-diffusion-v1-5/stable-diffusion-v1-5",
        "stabilityai/stable-diffusion-xl-base-1.0",
    ],
)
@forked
def test_a_wave_at_full_size_never_waits(repository: str) -> None:
    family = next(f for f in FAMILIES.values() if repository in f.published)
    config = dict(PUBLISHED[repository].configs["unet"])
    side = int(config["sample_size"])
    with product_on_accelerator(values=False) as device:
        unet: Any = full_size.network("UNet2DConditionModel", config, torch.bfloat16)
        cache_projections(unet)
        told = full_size.told(family.name, config, 1)
        words = Conditioning(
            *(
                None if tensor is None else tensor.to(NAME, torch.bfloat16)
                for tensor in (told["embeds"], told.get("pooled"), told.get("time_ids"))
            )
        )
        rows = []
        for seed in range(2):
            generator = torch.Generator().manual_seed(seed)
            template = SimpleNamespace(config=EulerDiscreteScheduler().config)
            schedule = Schedule(template, "euler_discrete", 2, 1.0, generator, device=NAME)
            noise = torch.randn(1, 4, side, side, generator=generator)
            rows.append(Row(f"{seed}", schedule, schedule.begin(noise, None), words, words, 5.0))
        predict, stack = predictor(unet, NAME), Stacker()
        device.waits.clear()
        for _ in range(2):
            advance(rows, 2, predict, stack)
        assert device.waits == []
        assert all(row.done and row.latents.device.type == NAME for row in rows)
        assert rows[0].latents.shape == (1, 4, side, side)
