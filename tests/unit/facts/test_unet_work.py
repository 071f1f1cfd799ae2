"""Operations of a UNet, counted from its configuration."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from diffusers import UNet2DConditionModel
from torch.utils.flop_counter import FlopCounterMode

from lorakit.facts.models.unet_work import of_model, operations
from lorakit.facts.networks.unet_shapes import TOKENS
from lorakit.families import PUBLISHED
from tests.support.planning import facts_for


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "side", "more"),
    [
        ("CompVis/stable-diffusion-v1-4", 64, {}),
        (
            "stabilityai/stable-diffusion-xl-base-1.0",
            128,
            {"addition_time_embed_dim": 256, "attention_head_dim": (5, 10, 20)},
        ),
    ],
)
def test_operations_are_what_torch_counts(name: str, side: int, more: dict[str, object]) -> None:
    config = PUBLISHED[name].configs["unet"]
    with torch.device("meta"):
        unet = UNet2DConditionModel(**{**config, **more})
        words = torch.zeros(1, TOKENS, config["cross_attention_dim"])
        told = {"text_embeds": torch.zeros(1, 1280), "time_ids": torch.zeros(1, 6)}
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            unet(torch.zeros(1, 4, side, side), torch.tensor(1), words, added_cond_kwargs=told)
    assert operations(config, side * side) == counter.get_total_flops()


def test_unknown_blocks_are_guessed_by_their_weight() -> None:
    model = facts_for().models["studio"]
    assert of_model(replace(model, configs={}), 256) == model.weight_bytes * 32
