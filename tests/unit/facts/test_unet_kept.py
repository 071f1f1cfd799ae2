"""What a UNet keeps for the way back, held against what autograd keeps."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from lorakit.facts.networks.layer_targets import hit
from lorakit.facts.networks.unet_kept import kept_elements

TARGETS = ("to_q", "to_k", "to_v", "to_out.0")
LIKE_SD: dict[str, Any] = {
    "sample_size": 32,
    "in_channels": 4,
    "out_channels": 4,
    "layers_per_block": 2,
    "block_out_channels": (64, 128, 128),
    "norm_num_groups": 8,
    "cross_attention_dim": 32,
    "attention_head_dim": 4,
    "down_block_types": ("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
}
LIKE_THE_STUDIO: dict[str, Any] = {
    **LIKE_SD,
    "layers_per_block": 1,
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
}
LIKE_SDXL: dict[str, Any] = {
    **LIKE_THE_STUDIO,
    "transformer_layers_per_block": (1, 2, 3),
    "use_linear_projection": True,
}


def saved_bytes(config: dict[str, Any], *, lora: bool, checkpointed: bool) -> int:
    """Bytes of the tensors that autograd has after a forward pass of one picture, weights left out."""
    from diffusers import UNet2DConditionModel
    from peft import LoraConfig

    unet = UNet2DConditionModel(**config).train()
    if lora:
        unet.requires_grad_(requires_grad=False)
        unet.add_adapter(LoraConfig(r=2, target_modules=list(TARGETS)))
    if checkpointed:
        unet.enable_gradient_checkpointing()
    own = {p.untyped_storage().data_ptr() for p in unet.parameters()}
    kept: dict[int, torch.UntypedStorage] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage
        return tensor

    size = config["sample_size"]
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        unet(torch.zeros(1, 4, size, size), 5, torch.zeros(1, 77, 32), return_dict=False)
    return sum(storage.nbytes() for storage in kept.values())


@pytest.mark.slow
@pytest.mark.parametrize("lora", [True, False], ids=["lora", "full"])
@pytest.mark.parametrize(
    "config", [LIKE_SD, LIKE_THE_STUDIO, LIKE_SDXL], ids=["sd", "studio", "sdxl"]
)
def test_a_plan_counts_what_autograd_keeps(config: dict[str, Any], lora: bool) -> None:
    adapted = (lambda layer: hit(layer, TARGETS)) if lora else None
    elements, most = kept_elements(config, config["sample_size"] ** 2, adapted=adapted)
    kept = saved_bytes(config, lora=lora, checkpointed=False)
    assert 4 * elements == pytest.approx(kept, rel=0.12)
    assert 0 < most < elements / 2


def test_checkpoints_keep_little() -> None:
    places = LIKE_SD["sample_size"] ** 2
    whole, most = kept_elements(LIKE_SD, places, adapted=None)
    little, _ = kept_elements(LIKE_SD, places, adapted=None, checkpointed=True)
    assert most < little < whole / 2
    assert saved_bytes(LIKE_SD, lora=False, checkpointed=True) < 4 * little


@pytest.mark.parametrize(
    "config", [LIKE_SD, LIKE_THE_STUDIO, LIKE_SDXL], ids=["sd", "studio", "sdxl"]
)
def test_a_plan_counts_what_checkpoints_keep(config: dict[str, Any]) -> None:
    """Each block of a transformer is computed anew by itself: SDXL's have ten."""
    places = config["sample_size"] ** 2
    little, most = kept_elements(config, places, adapted=None, checkpointed=True)
    kept = saved_bytes(config, lora=False, checkpointed=True)
    assert 4 * (little - most) == pytest.approx(kept, rel=0.15)


def test_unknown_blocks_keep_nothing_that_is_known() -> None:
    strange = {**LIKE_SD, "down_block_types": ("AttnDownBlock2D",) * 3}
    assert kept_elements(strange, 64, adapted=None) == (0.0, 0.0)
