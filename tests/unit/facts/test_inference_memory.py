"""What a pass without gradients needs, held against torch's own count of the published networks' tensors."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKL, AutoencoderKLQwenImage, UNet2DConditionModel
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.distributed._tools.mem_tracker import MemTracker
from transformers import T5Config, T5EncoderModel

from lorakit import resources
from lorakit.facts.files.digests import Unread
from lorakit.facts.models.model_facts import ModelFacts
from lorakit.facts.models.model_lookup import model_facts
from lorakit.facts.networks.inference_memory import (
    unet_elements,
    vae_elements,
    vae_encoder_elements,
)
from lorakit.families import PUBLISHED
from lorakit.language.recipe.documents import ModelSource
from lorakit.plan.drawing_memory import drawing_needs, weights_by_part
from lorakit.plan.encoding_memory import encoding_needs
from lorakit.plan.memory_modes import NONE

pytestmark = pytest.mark.filterwarnings("ignore")
SIDE = 32  # latents


def published(kind: str, part: str) -> dict[str, Any]:
    folder = resources.path("data") / "base-models" / kind / part
    told: dict[str, Any] = json.loads((folder / "config.json").read_text())
    return told


def peak(network: Any, *inputs: torch.Tensor, **more: Any) -> int:
    """Bytes at the peak of a pass, without the weights; no number is computed."""
    tracker = MemTracker()
    tracker.track_external(network, *inputs)
    with torch.no_grad(), tracker:
        network(*inputs, **more)
    (found,) = tracker.get_tracker_snapshot("peak").values()
    (total,) = [size for kind, size in found.items() if str(kind) == "Total"]
    return int(total) - sum(p.numel() * p.element_size() for p in network.parameters())


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sd-v1", "sd-v2", "sdxl"])
def test_a_plan_counts_what_a_call_of_the_unet_needs(kind: str) -> None:
    config = published(kind, "unet")
    if kind == "sdxl":  # how deep it is adds weights, and takes a minute
        config["transformer_layers_per_block"] = [1, 1, 1]
    with FakeTensorMode():
        unet = UNet2DConditionModel.from_config(config).eval()
        embeds = torch.zeros(2, 77, config["cross_attention_dim"])
        added = {"text_embeds": torch.zeros(2, 1280), "time_ids": torch.zeros(2, 6)}
        found = peak(
            unet,
            torch.zeros(2, 4, SIDE, SIDE),
            torch.zeros(2),
            embeds,
            added_cond_kwargs=added if kind == "sdxl" else None,
        )
    assert found == pytest.approx(2 * SIDE**2 * 4 * unet_elements(config), rel=0.05)


class Pass(torch.nn.Module):
    """An autoencoder's `encode` or `decode` as a pass of a network."""

    def __init__(self, vae: Any, name: str) -> None:
        super().__init__()
        self.vae, self.name = vae, name

    def forward(self, given: torch.Tensor) -> Any:
        return getattr(self.vae, self.name)(given, return_dict=False)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "given", "counted"),
    [("encode", (3, 8 * SIDE), vae_encoder_elements), ("decode", (16, SIDE), vae_elements)],
)
@pytest.mark.parametrize("kind", ["sd-v1", "qwen-image"])
def test_a_plan_counts_what_an_autoencoder_needs(
    kind: str, name: str, given: tuple[int, int], counted: Any
) -> None:
    channels, side = given
    with FakeTensorMode():
        if kind == "qwen-image":  # one for films
            vae, config = AutoencoderKLQwenImage(), PUBLISHED["Qwen/Qwen-Image"].configs["vae"]
            shape = (1, channels, 1, side, side)
        else:
            config = published(kind, "vae")
            vae = AutoencoderKL.from_config(config)
            shape = (1, 3 if name == "encode" else 4, side, side)
        found = peak(Pass(vae.eval(), name), torch.zeros(shape))
    assert found == pytest.approx((8 * SIDE) ** 2 * 4 * counted(config), rel=0.05)


def test_a_plan_counts_what_t5_reads_in() -> None:
    flux = "black-forest-labs/FLUX.1-dev"
    facts = model_facts(ModelSource("m", f"hub:{flux}", "auto", None), Unread())
    config = T5Config(
        d_model=4096,
        d_kv=64,
        d_ff=10240,
        num_layers=2,  # what a pass keeps at its peak is no more with 24
        num_heads=64,
        feed_forward_proj="gated-gelu",
        is_encoder_decoder=False,
        use_cache=False,
    )
    with FakeTensorMode():
        t5 = T5EncoderModel._from_config(config, dtype=torch.bfloat16).eval()
        found = peak(t5, torch.zeros(1, 512, dtype=torch.long))
    # with no picture; its weights, and T5's share of them is not known before it is here
    weights = 2 * PUBLISHED[flux].others
    need = encoding_needs(facts, "bf16", (0, 0))
    assert weights + found < need[0, "none"].card < weights + found + 1.5e9
    # a table of words, and the next layer beside it
    widest = 2 * 2 * 32_128 * 4_096
    assert widest + found < need[0, "group"].card < weights / 2
    assert need[0, "group"].beside == weights


def model(kind: str) -> ModelFacts:
    counts = {
        "sd-v1": {"unet": 859_520_964, "vae": 83_653_863, "text_encoder": 123_060_480},
        "sdxl": {"unet": 2_567_463_684, "vae": 83_653_863, "text_encoder": 817_720_320},
    }[kind]
    return ModelFacts(
        "m",
        "m",
        "sdxl" if kind == "sdxl" else "sd",
        None,
        None,
        weight_bytes=4 * sum(counts.values()),
        configs={part: published(kind, part) for part in ("unet", "vae")},
        parameters=counts,
    )


@pytest.mark.parametrize(
    ("kind", "precision", "size", "rows", "gigabytes"),
    [
        # weights, and the greater of decoding (the first three) and a call of the UNet
        ("sd-v1", "fp32", 512, 1, 5.7),
        ("sd-v1", "bf16", 512, 1, 3.1),
        ("sdxl", "bf16", 1024, 2, 9.3),
        ("sdxl", "fp16", 1024, 2, 11.3),
    ],
)
def test_weights_are_counted_in_the_precision_they_are_kept_in(
    kind: str, precision: str, size: int, rows: int, gigabytes: float
) -> None:
    needs = drawing_needs(model(kind), precision, (size, size), rows, guided=True)
    assert needs[0, NONE].card / 1e9 == pytest.approx(gigabytes, rel=0.05)


def test_fp16_keeps_the_autoencoder_in_fp32() -> None:
    sd = model("sd-v1")
    fp16, bf16 = weights_by_part(sd, "fp16"), weights_by_part(sd, "bf16")
    assert fp16.pop("vae") - bf16.pop("vae") == 2 * sd.parameters["vae"]
    assert fp16 == bf16
