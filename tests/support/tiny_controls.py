"""Tiny untrained models that stand beside one that draws, in their published layouts."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import ControlNetModel, FluxControlNetModel, UNet2DConditionModel
from PIL import Image, ImageDraw


def save_control_net(model: Path, folder: Path, seed: int = 0) -> Path:
    """A ControlNet for the UNet of a folder; its last layers are not zero, so that it has a say."""
    torch.manual_seed(seed)
    unet = UNet2DConditionModel.from_pretrained(model / "unet")
    net = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=(8, 8, 8, 16))
    return _save(net, folder)


def save_flux_control_net(model: Path, folder: Path, seed: int = 0) -> Path:
    """The same for the transformer of Flux."""
    from diffusers import FluxTransformer2DModel

    torch.manual_seed(seed)
    transformer = FluxTransformer2DModel.from_pretrained(model / "transformer")
    net = FluxControlNetModel.from_transformer(
        transformer,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=transformer.config.attention_head_dim,
        num_attention_heads=transformer.config.num_attention_heads,
    )
    return _save(net, folder)


def _save(net: torch.nn.Module, folder: Path) -> Path:
    for parameter in net.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.3)
    net.save_pretrained(folder)  # type: ignore[attr-defined]
    return folder


def save_depth_model(folder: Path, seed: int = 0) -> Path:
    """A model that tells depths, as Depth Anything is published."""
    from transformers import (
        DepthAnythingConfig,
        DepthAnythingForDepthEstimation,
        Dinov2Config,
        DPTImageProcessor,
    )

    torch.manual_seed(seed)
    backbone = Dinov2Config(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=16,
        image_size=56,
        patch_size=14,
        out_features=["stage1", "stage2"],
        apply_layernorm=True,
        reshape_hidden_states=False,
    )
    config = DepthAnythingConfig(
        backbone_config=backbone,
        patch_size=14,
        reassemble_hidden_size=16,
        reassemble_factors=[1, 0.5],
        neck_hidden_sizes=[8, 8],
        fusion_hidden_size=8,
        head_hidden_size=4,
    )
    DepthAnythingForDepthEstimation(config).save_pretrained(folder)
    DPTImageProcessor(
        size={"height": 56, "width": 56}, ensure_multiple_of=14, keep_aspect_ratio=True
    ).save_pretrained(folder)
    return folder


def draw_shape(file: Path, at: int = 8) -> Path:
    """A picture with edges: a square on a plain ground."""
    file.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.new("RGB", (96, 64), "white")
    ImageDraw.Draw(picture).rectangle((at, 8, at + 30, 50), fill="navy")
    picture.save(file)
    return file
