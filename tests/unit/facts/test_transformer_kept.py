"""What a plan counts of a transformer's training, held against torch: parameters, and what autograd keeps."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch
from peft import LoraConfig

from lorakit.facts.files.digests import Unread
from lorakit.facts.models import transformer_kept
from lorakit.facts.models.model_facts import ModelFacts
from lorakit.facts.models.model_lookup import model_facts
from lorakit.facts.networks.layer_targets import hit
from lorakit.families import FAMILIES
from lorakit.language.recipe.documents import ModelSource

SMALL = {
    "num_layers": 2,
    "num_single_layers": 3,
    "attention_head_dim": 32,
    "num_attention_heads": 2,
    "joint_attention_dim": 32,
    "pooled_projection_dim": 16,
    "guidance_embeds": True,
    "axes_dims_rope": (8, 12, 12),
}
SMALL_2 = {
    "in_channels": 64,
    "num_layers": 2,
    "num_single_layers": 3,
    "attention_head_dim": 32,
    "num_attention_heads": 2,
    "joint_attention_dim": 32,
    "timestep_guidance_channels": 32,
    "axes_dims_rope": (8, 8, 8, 8),
    "guidance_embeds": False,
}
WORDS = 256
TARGETS = {
    "as the script": FAMILIES["flux"].targets,
    "attention": ("to_q", "to_k", "to_v"),
    "more": (*FAMILIES["flux"].targets, "proj_mlp", "proj_out"),
}


def test_published_transformers_have_as_many_parameters_as_is_told() -> None:
    counted = 0
    for family in FAMILIES.values():
        for name, told in family.published.items():
            shapes = family.shapes(told.configs.get("transformer", {}))
            if shapes:
                assert sum(map(math.prod, shapes.values())) == told.parameters, name
                counted += 1
    assert counted >= 13


@pytest.mark.parametrize("config", [SMALL, {"guidance_embeds": True}, {}])
def test_shapes_are_the_transformer_s(config: dict[str, Any]) -> None:
    with torch.device("meta"):
        model = diffusers.FluxTransformer2DModel(**config)
    found = {name: tuple(p.shape) for name, p in model.named_parameters()}
    assert FAMILIES["flux"].shapes(config) == found


@pytest.mark.parametrize(
    "kind", ["flux-schnell", "flux-kontext", "sd3", "qwen-image", "z-image", "flux2-klein"]
)
def test_shapes_of_tiny_transformers_are_theirs(
    kind: str, tiny_transformer: Callable[[str], Path]
) -> None:
    facts = model_facts(ModelSource("m", str(tiny_transformer(kind)), "auto", None), Unread())
    found = {n: s for n, s in facts.denoiser_shapes.items() if n not in facts.traits.buffers}
    assert facts.traits.shapes(facts.transformer) == found


def flux(side: int) -> dict[str, Any]:
    """What Flux.1 is called with, for a picture of so many latents a side."""
    places = diffusers.FluxPipeline._prepare_latent_image_ids(
        1, side // 2, side // 2, "cpu", torch.float32
    )
    return {
        "hidden_states": torch.randn(1, len(places), 64),
        "timestep": torch.tensor([0.5]),
        "guidance": torch.tensor([3.5]),
        "pooled_projections": torch.randn(1, SMALL["pooled_projection_dim"]),
        "encoder_hidden_states": torch.randn(1, WORDS, SMALL["joint_attention_dim"]),
        "txt_ids": torch.zeros(WORDS, 3),
        "img_ids": places,
    }


def flux2(side: int) -> dict[str, Any]:
    """And Flux.2."""
    tokens = side * side // 4
    return {
        "hidden_states": torch.randn(1, tokens, 64),
        "timestep": torch.tensor([0.5]),
        "guidance": None,
        "encoder_hidden_states": torch.randn(1, WORDS, SMALL_2["joint_attention_dim"]),
        "txt_ids": torch.zeros(WORDS, 4),
        "img_ids": torch.zeros(tokens, 4),
    }


def kept(model: torch.nn.Module, call: dict[str, Any]) -> float:
    """Elements of what autograd keeps of a pass, weights not counted."""
    own = {p.untyped_storage().data_ptr() for p in model.parameters()}
    found: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            found[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        said = model(**call)
        assert said.sample.requires_grad
        return sum(found.values()) / 4


@pytest.mark.slow
@pytest.mark.parametrize("targets", TARGETS)
@pytest.mark.parametrize("saving", [False, True])
def test_what_is_kept_for_the_way_back_is_counted(targets: str, saving: bool) -> None:
    side, chosen = 32, TARGETS[targets]
    model = diffusers.FluxTransformer2DModel(**SMALL).requires_grad_(False)
    model.add_adapter(LoraConfig(r=2, target_modules=list(chosen)))
    facts = ModelFacts(
        "m", "m", "flux", None, None, configs={"transformer": SMALL}, token_limit=WORDS
    )

    def counted(*, checkpointed: bool) -> float:
        return transformer_kept.kept_elements(
            facts, side * side, adapted=lambda layer: hit(layer, chosen), checkpointed=checkpointed
        )

    if saving:  # what comes into each block, and a block at a time
        model.enable_gradient_checkpointing()
        found = kept(model, flux(side))
        whole = counted(checkpointed=True)
        assert found < whole < found + counted(checkpointed=False) / 2
    else:
        assert counted(checkpointed=False) == pytest.approx(kept(model, flux(side)), rel=0.1)


@pytest.mark.parametrize("targets", [FAMILIES["flux2-klein"].targets, ("to_q", "to_k", "to_v")])
def test_what_flux_2_keeps_is_counted(targets: tuple[str, ...]) -> None:
    side = 32
    model = diffusers.Flux2Transformer2DModel(**SMALL_2).requires_grad_(False)
    model.add_adapter(LoraConfig(r=2, target_modules=list(targets)))
    facts = ModelFacts(
        "m", "m", "flux2-klein", None, None, configs={"transformer": SMALL_2}, token_limit=WORDS
    )
    counted = transformer_kept.kept_elements(
        facts, side * side, adapted=lambda layer: hit(layer, targets)
    )
    assert counted == pytest.approx(kept(model, flux2(side)), rel=0.1)
