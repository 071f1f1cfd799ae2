"""Tiny untrained models that stand beside one that draws, in their published layouts."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from diffusers import (
    ControlNetModel,
    ControlNetUnionModel,
    FluxControlNetModel,
    QwenImageControlNetModel,
    SD3ControlNetModel,
    UNet2DConditionModel,
)
from PIL import Image, ImageDraw


def save_control_net(model: Path, folder: Path, seed: int = 0) -> Path:
    """A ControlNet for the UNet of a folder; its last layers are not zero, so that it has a say."""
    torch.manual_seed(seed)
    unet = UNet2DConditionModel.from_pretrained(model / "unet")
    net = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=(8, 8, 8, 16))
    return _save(net, folder)


def save_control_union(model: Path, folder: Path, seed: int = 0, *, theirs: bool = False) -> Path:
    """A union of ControlNets for the UNet of an SDXL.

    Its configuration has the keys of xinsir/controlnet-union-sdxl-1.0; with `theirs` it names the class that
    its authors had before diffusers did.
    """
    torch.manual_seed(seed)
    unet = UNet2DConditionModel.from_pretrained(model / "unet")
    own = ("transformer_layers_per_block", "addition_embed_type", "addition_time_embed_dim")
    own += ("in_channels", "down_block_types", "block_out_channels", "layers_per_block")
    own += ("norm_num_groups", "cross_attention_dim", "attention_head_dim")
    own += ("use_linear_projection", "projection_class_embeddings_input_dim")
    width = unet.config.block_out_channels[0]
    net = ControlNetUnionModel(
        **{key: unet.config[key] for key in own},
        conditioning_embedding_out_channels=(8, 8, 8, 16),
        num_control_type=6,
        num_trans_channel=width,
        num_trans_head=2,
        num_trans_layer=1,
        num_proj_channel=width,
    )
    _save(net, folder)
    if theirs:
        config = json.loads((folder / "config.json").read_text())
        config["_class_name"] = "ControlNetModel_Union"
        (folder / "config.json").write_text(json.dumps(config))
    return folder


def save_qwen_control_net(model: Path, folder: Path) -> Path:
    """A ControlNet for Qwen-Image, as InstantX/Qwen-Image-ControlNet-Union is published."""
    from diffusers import QwenImageTransformer2DModel

    torch.manual_seed(0)
    transformer = QwenImageTransformer2DModel.from_pretrained(model / "transformer")
    net = QwenImageControlNetModel.from_transformer(
        transformer,
        num_layers=1,
        attention_head_dim=transformer.config.attention_head_dim,
        num_attention_heads=transformer.config.num_attention_heads,
    )
    return _save(net, folder)


def save_sd3_control_net(model: Path, folder: Path, *, zeros: bool = False) -> Path:
    """One for Stable Diffusion 3, as InstantX's are published: those are told `zeros` of pooled words."""
    from diffusers import SD3Transformer2DModel

    torch.manual_seed(0)
    transformer = SD3Transformer2DModel.from_pretrained(model / "transformer")
    config = {
        **transformer.config,
        "num_layers": 1,
        "extra_conditioning_channels": 0,
        "force_zeros_for_pooled_projection": zeros,
    }
    return _save(SD3ControlNetModel.from_config(config), folder)


def save_flux_control_net(
    model: Path, folder: Path, seed: int = 0, modes: int | None = None
) -> Path:
    """The same for the transformer of Flux; a union that tells so many `modes` apart."""
    from diffusers import FluxTransformer2DModel

    torch.manual_seed(seed)
    transformer = FluxTransformer2DModel.from_pretrained(model / "transformer")
    config = {
        **transformer.config,
        "num_layers": 1,
        "num_single_layers": 1,
        "num_mode": modes,
    }
    net = FluxControlNetModel.from_config(config)
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


def save_image_encoder(folder: Path, width: int = 32, projection: int = 16, seed: int = 0) -> Path:
    """CLIP's image encoder, as one stands in an IP-Adapter's image_encoder/."""
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    torch.manual_seed(seed)
    config = CLIPVisionConfig(
        hidden_size=width,
        intermediate_size=2 * width,
        projection_dim=projection,
        num_hidden_layers=2,
        num_attention_heads=4,
        image_size=32,
        patch_size=8,
    )
    CLIPVisionModelWithProjection(config).save_pretrained(folder)
    return folder


def save_ip_adapter(model: Path, file: Path, *, plus: bool = False, seed: int = 0) -> Path:
    """An IP-Adapter for the UNet of a folder, in one file of safetensors with its published keys.

    It reads projected embeds of 16 numbers, or with `plus` hidden states of 32.
    """
    from diffusers.models.embeddings import IPAdapterPlusImageProjection
    from safetensors.torch import save_file

    torch.manual_seed(seed)
    unet = UNet2DConditionModel.from_pretrained(model / "unet")
    cross = unet.config.cross_attention_dim
    tensors: dict[str, torch.Tensor] = {}
    if plus:
        told = IPAdapterPlusImageProjection(
            embed_dims=32, output_dims=cross, hidden_dims=64, depth=4, heads=1, num_queries=4
        ).state_dict()
        for name, tensor in told.items():
            if ".to_k." in name or ".to_v." in name:
                continue
            # keys as they were published: diffusers' of the same tensors are others
            theirs = name.replace(".ln0", ".0.norm1").replace(".ln1", ".0.norm2")
            theirs = theirs.replace(".attn.to_q", ".0.to_q").replace(".attn.to_out.0", ".0.to_out")
            theirs = theirs.replace(".ff.1.net.0.proj", ".1.1").replace(".ff.1.net.2", ".1.3")
            tensors[f"image_proj.{theirs.replace('.ff.0', '.1.0')}"] = tensor
        for layer in range(4):
            both = [told[f"layers.{layer}.attn.to_{part}.weight"] for part in "kv"]
            tensors[f"image_proj.layers.{layer}.0.to_kv.weight"] = torch.cat(both)
    else:
        tensors["image_proj.proj.weight"] = torch.randn(4 * cross, 16)
        tensors["image_proj.proj.bias"] = torch.zeros(4 * cross)
        tensors["image_proj.norm.weight"] = torch.ones(cross)
        tensors["image_proj.norm.bias"] = torch.zeros(cross)
    number = 1
    sizes = dict(unet.named_parameters())
    for name in unet.attn_processors:
        if name.endswith("attn2.processor"):
            shape = sizes[name.replace("processor", "to_k.weight")].shape
            for part in "kv":
                tensors[f"ip_adapter.{number}.to_{part}_ip.weight"] = torch.randn(shape) * 0.5
            number += 2
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, file)
    return file


def save_ip_adapters(model: Path, folder: Path, family: str = "sd") -> Path:
    """A folder laid out as h94/IP-Adapter is: weights for one family, and the image encoder of all."""
    name = {
        "sd": "models/ip-adapter_sd15.safetensors",
        "sdxl": "sdxl_models/ip-adapter_sdxl_vit-h.safetensors",
    }[family]
    save_ip_adapter(model, folder / name)
    plus = name.replace("adapter_", "adapter-plus_")
    save_ip_adapter(model, folder / plus, plus=True, seed=1)
    save_image_encoder(folder / "models" / "image_encoder")
    return folder


def save_dino(folder: Path, seed: int = 0) -> Path:
    """DINOv2, as facebook/dinov2-small is published."""
    from transformers import BitImageProcessorPil, Dinov2Config, Dinov2Model

    torch.manual_seed(seed)
    config = Dinov2Config(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        mlp_ratio=2,
        image_size=28,
        patch_size=14,
        layerscale_value=1.0,
    )
    Dinov2Model(config).save_pretrained(folder)
    BitImageProcessorPil(
        size={"shortest_edge": 32}, crop_size={"height": 28, "width": 28}
    ).save_pretrained(folder)
    return folder


def save_clip(folder: Path, seed: int = 0) -> Path:
    """CLIP, with its tokenizer and its image processor, as openai/clip-vit-base-patch32 is published."""
    from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel, CLIPVisionConfig

    from tests.support.tiny import clip_config, tokenizer

    words = tokenizer(folder)
    words.save_pretrained(folder)
    torch.manual_seed(seed)
    vision = CLIPVisionConfig(
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=32,
        patch_size=8,
    )
    text = clip_config(len(words), 32)
    config = CLIPConfig(
        text_config=text.to_dict(), vision_config=vision.to_dict(), projection_dim=12
    )
    CLIPModel(config).save_pretrained(folder)
    CLIPImageProcessorPil(size=32, crop_size=32).save_pretrained(folder)
    return folder
