"""What a pass without gradients needs, held against torch's own count of the published networks' tensors."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.distributed._tools.mem_tracker import MemTracker

from lorakit import resources
from lorakit.facts.models.model_facts import ModelFacts
from lorakit.facts.networks.inference_memory import unet_elements, vae_elements
from lorakit.plan.drawing_memory import drawing_bytes, weights_bytes

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


def test_a_plan_counts_what_decoding_needs() -> None:
    config = published("sd-v1", "vae")

    class Decoder(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.vae = AutoencoderKL.from_config(config)

        def forward(self, latents: torch.Tensor) -> Any:
            return self.vae.decode(latents, return_dict=False)

    with FakeTensorMode():
        found = peak(Decoder().eval(), torch.zeros(1, 4, SIDE, SIDE))
    assert found == pytest.approx((8 * SIDE) ** 2 * 4 * vae_elements(config), rel=0.05)


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
    found = drawing_bytes(model(kind), precision, (size, size), rows, guided=True)
    assert found / 1e9 == pytest.approx(gigabytes, rel=0.05)


def test_fp16_keeps_the_autoencoder_in_fp32() -> None:
    sd = model("sd-v1")
    assert weights_bytes(sd, "fp16") - weights_bytes(sd, "bf16") == 2 * sd.parameters["vae"]
