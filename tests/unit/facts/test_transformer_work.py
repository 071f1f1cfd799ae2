"""What a plan counts of transformers, held against torch's own counts at published widths."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import diffusers
import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode

from lorakit.facts.models import transformer_work
from lorakit.facts.models.model_facts import ModelFacts
from lorakit.families import FAMILIES, PUBLISHED
from tests.unit.facts.test_inference_memory import peak

pytestmark = pytest.mark.filterwarnings("ignore")
SIDE = 64  # latents
TOKENS = (SIDE // 2) ** 2
Called = tuple[Any, dict[str, Any]]  # a network, and what it is called with


def zeros(*shape: int) -> torch.Tensor:
    return torch.zeros(1, *shape)


def flux() -> Called:
    network = diffusers.FluxTransformer2DModel(
        num_layers=1, num_single_layers=1, guidance_embeds=True
    )
    given = {"guidance": zeros(), "pooled_projections": zeros(768), "timestep": zeros()}
    told = {"encoder_hidden_states": zeros(512, 4096), "txt_ids": torch.zeros(512, 3)}
    seen = {"hidden_states": zeros(TOKENS, 64), "img_ids": torch.zeros(TOKENS, 3)}
    return network, {**given, **told, **seen}


def qwen_image() -> Called:
    mask = torch.ones(1, 64, dtype=torch.bool)
    told = {"encoder_hidden_states": zeros(64, 3584), "encoder_hidden_states_mask": mask}
    shapes = [[(1, SIDE // 2, SIDE // 2)]]
    seen = {"hidden_states": zeros(TOKENS, 64), "img_shapes": shapes, "timestep": zeros()}
    return diffusers.QwenImageTransformer2DModel(num_layers=1), {**told, **seen}


def z_image() -> Called:
    network = diffusers.ZImageTransformer2DModel(n_layers=1, n_refiner_layers=1)
    seen, told = [torch.zeros(16, 1, SIDE, SIDE)], [torch.zeros(64, 2560)]
    return network, {"x": seen, "t": zeros(), "cap_feats": told}


def flux2_klein() -> Called:
    network = diffusers.Flux2Transformer2DModel(
        num_layers=1,
        num_single_layers=1,
        num_attention_heads=24,
        joint_attention_dim=7680,
        guidance_embeds=False,
    )
    told = {"encoder_hidden_states": zeros(512, 7680), "txt_ids": torch.zeros(512, 4)}
    seen = {"hidden_states": zeros(TOKENS, 128), "img_ids": torch.zeros(TOKENS, 4)}
    return network, {"timestep": zeros(), **told, **seen}


@pytest.mark.slow
@pytest.mark.parametrize("make", [flux, qwen_image, z_image, flux2_klein])
def test_work_and_memory_are_what_torch_counts(
    make: Callable[[], Called], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = make.__name__.replace("_", "-")
    # the network alone is called, without a picture beside the words
    alone = {name: replace(FAMILIES[name], references=0)}
    monkeypatch.setattr("lorakit.facts.models.model_facts.FAMILIES", alone)
    with FakeTensorMode():
        network, given = make()
        network.eval()
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            network(**given)
        found = peak(network, **given)
    model = ModelFacts(
        "m",
        "m",
        name,
        None,
        None,
        token_limit=512,
        configs={"transformer": dict(network.config)},
        denoiser_shapes={n: tuple(p.shape) for n, p in network.named_parameters()},
    )
    counted = transformer_work.operations(model, SIDE**2)
    assert counted == pytest.approx(counter.get_total_flops(), rel=0.1)
    assert found == pytest.approx(4 * transformer_work.elements(model, SIDE**2), rel=0.1)


NETWORKS: dict[str, tuple[Any, dict[str, Any]]] = {
    "black-forest-labs/FLUX.1-dev": (diffusers.FluxTransformer2DModel, {}),
    "stabilityai/stable-diffusion-3.5-large": (
        diffusers.SD3Transformer2DModel,
        {"caption_projection_dim": 2432, "joint_attention_dim": 4096, "pos_embed_max_size": 192},
    ),
    "Qwen/Qwen-Image": (diffusers.QwenImageTransformer2DModel, {}),
    "Tongyi-MAI/Z-Image-Turbo": (diffusers.ZImageTransformer2DModel, {}),
    "lodestones/Chroma1-HD": (diffusers.ChromaTransformer2DModel, {}),
    "black-forest-labs/FLUX.2-klein-4B": (
        diffusers.Flux2Transformer2DModel,
        {"joint_attention_dim": 7680, "guidance_embeds": False},
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("repository", NETWORKS)
def test_published_parameters_are_those_that_diffusers_makes(repository: str) -> None:
    kind, more = NETWORKS[repository]
    told = PUBLISHED[repository]
    with torch.device("meta"):
        network = kind(**told.configs["transformer"], **more)
    assert told.parameters == sum(p.numel() for p in network.parameters())
