"""Parameters counted from published configurations, held against diffusers and PEFT on the meta device."""

from __future__ import annotations

import json
from math import prod

import pytest
import torch

import lorakit
from lorakit import resources
from lorakit.facts.files.digests import Unread
from lorakit.facts.models.model_lookup import model_facts
from lorakit.facts.models.unet_layers import layer_sizes, total, trainable
from lorakit.facts.networks.unet_shapes import shapes_of
from lorakit.families import PUBLISHED
from lorakit.language.recipe.documents import ModelSource
from lorakit.language.recipe.trainings import LoraSettings

CROSS = ("attn2.to_q", "attn2.to_k", "attn2.to_v")
# what decides no shape, and what diffusers must know all the same
HEADS = {
    "CompVis/stable-diffusion-v1-4": {"attention_head_dim": 8},
    "stabilityai/stable-diffusion-2-1": {"attention_head_dim": [5, 10, 20, 20]},
    "SimianLuo/LCM_Dreamshaper_v7": {"attention_head_dim": 8},
    "stabilityai/stable-diffusion-xl-base-1.0": {
        "attention_head_dim": [5, 10, 20],
        "addition_time_embed_dim": 256,
    },
}


def on_meta(config):
    from diffusers import UNet2DConditionModel

    with torch.device("meta"):
        return UNet2DConditionModel.from_config(config)


def facts(source: str):
    return model_facts(ModelSource("m", source, "auto", None), Unread())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("CompVis/stable-diffusion-v1-4", 859_520_964),
        ("stabilityai/stable-diffusion-2-1", 865_910_724),
        ("stabilityai/stable-diffusion-xl-base-1.0", 2_567_463_684),
    ],
)
def test_published_unets_have_diffusers_names_shapes_and_count(name: str, count: int) -> None:
    config = dict(PUBLISHED[name].configs["unet"])
    theirs = {k: tuple(p.shape) for k, p in on_meta({**config, **HEADS[name]}).named_parameters()}
    assert dict(shapes_of(config)) == theirs
    assert sum(map(prod, theirs.values())) == total(facts(f"hub:{name}")) == count


def test_the_studio_s_unet_too() -> None:
    config = json.loads((resources.path("studio") / "unet" / "config.json").read_text())
    theirs = {k: tuple(p.shape) for k, p in on_meta(config).named_parameters()}
    assert dict(shapes_of(config)) == theirs


def test_other_blocks_are_not_guessed_at() -> None:
    config = {**PUBLISHED["CompVis/stable-diffusion-v1-4"].configs["unet"]}
    assert shapes_of({**config, "down_block_types": ["AttnDownBlock2D"] * 4}) == {}
    assert shapes_of({}) == {}


@pytest.mark.slow
@pytest.mark.parametrize("dora", [False, True], ids=["lora", "dora"])
@pytest.mark.parametrize("targets", [CROSS, ("to_q", "proj_in", "conv1"), r".*attn1\.to_(k|v)"])
@pytest.mark.parametrize(
    "name", [n for n in HEADS if n.startswith(("CompVis", "stabilityai/stable-diffusion-xl"))]
)
def test_an_adapter_s_parameters_are_those_that_peft_makes(name, targets, dora) -> None:
    from peft import LoraConfig

    unet = on_meta({**PUBLISHED[name].configs["unet"], **HEADS[name]})
    plain = list(targets) if isinstance(targets, tuple) else targets
    with torch.device("meta"):
        unet.add_adapter(
            LoraConfig(r=4, lora_alpha=4, target_modules=plain, use_dora=dora, init_lora_weights=not dora)
        )  # fmt: skip
    theirs = sum(p.numel() for n, p in unet.named_parameters() if "lora_" in n)
    ours = trainable(
        layer_sizes(facts(f"hub:{name}")), targets, LoraSettings(rank=4, use_dora=dora)
    )
    assert ours == theirs


def test_the_gurukul_recipe_trains_297_984_parameters_and_is_planned_offline() -> None:
    plan = lorakit.load(resources.path("recipes") / "gurukul-sd14.yaml").plan()
    training = next(p.action for p in plan.actions if p.action.kind == "train-image")
    assert training.task.key()["lora"]["target_modules"] == list(CROSS)
    assert any("trains 297,984 of 859,520,964 parameters" in line for line in training.notes)
    assert [p.action.label for p in plan.actions if p.action.kind == "frame"]
