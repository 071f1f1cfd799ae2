"""The configurations of a checkpoint in one file: those of its base model, with the sizes of its own tensors.

The base models' configurations ship with lorakit (data/base-models), so that nothing is fetched.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lorakit import resources
from lorakit.facts.files.weights_header import WeightsHeader as Header
from lorakit.families import BY_CLASS, Family

Configs = dict[str, dict[str, Any]]

UNET = "model.diffusion_model."
VAE = "first_stage_model."
TEXTS = ("cond_stage_model.", "conditioner.embedders.")
_OPEN_CLIP = ("cond_stage_model.model.", "conditioner.embedders.1.model.")
_CLIP = (
    "cond_stage_model.transformer.text_model.",
    "conditioner.embedders.0.transformer.text_model.",
)
# words of a name, which may be written in one: sd_turbo, v40LightningBakedvae, lightningDPMSDE
_DISTILLED = re.compile(
    r"(?:(?<![A-Za-z])(?:turbo|lightning)|Turbo|Lightning|TURBO|LIGHTNING)(?![a-z])"
)


def family_of(configs: Configs) -> Family:
    """The family that a checkpoint's configurations are of."""
    return BY_CLASS[str(configs["model_index.json"]["_class_name"])]


def shape_of(header: Header, name: str) -> tuple[int, ...]:
    """A tensor's shape; empty for one that is not there."""
    told = header.tensors.get(name)
    return told.shape if told else ()


def tokenizer_folder() -> Path:
    """The words of CLIP, which all base models read with."""
    return resources.path("data") / "clip"


def configs_of(header: Header, stem: str, projected: int = 0) -> tuple[Configs, tuple[str, ...]]:
    """Configurations by the names they have in diffusers' layout, and what a user should know of the choice.

    `stem` is the file's own name, which may say what nothing in it does; `projected` how wide pooled words
    are where their encoder is not in it.
    """
    base = _base(header)
    configs = shipped(base)
    unet = configs["unet/config.json"]
    unet |= _unet(header, unet, projected)
    configs["vae/config.json"] |= vae_config(header, VAE)
    _size_texts(header, configs)
    return configs, tuple(_schedule(header, stem, base, configs))


def _base(header: Header) -> str:
    """By its text encoders, or where it has none by what its UNet is told."""
    if any(name.startswith("conditioner.embedders.1.") for name in header.tensors):
        return "sdxl"
    if any(name.startswith(_OPEN_CLIP[0]) for name in header.tensors):
        return "sd-v2"
    if any(name.startswith(TEXTS) for name in header.tensors):
        return "sd-v1"
    if shape_of(header, f"{UNET}label_emb.0.0.weight"):
        return "sdxl"
    # a linear layer where version 1 has a convolution
    into = shape_of(header, f"{UNET}input_blocks.1.1.proj_in.weight")
    return "sd-v2" if len(into) == 2 else "sd-v1"


def texts_held(header: Header) -> frozenset[str]:
    """The parts that read words and are in the file."""
    ways = ((_CLIP[0], _OPEN_CLIP[0], _CLIP[1]), (_OPEN_CLIP[1],))
    return frozenset(
        name
        for name, prefixes in zip(("text_encoder", "text_encoder_2"), ways, strict=True)
        if any(key.startswith(prefixes) for key in header.tensors)
    )


def shipped(base: str) -> Configs:
    """The configurations of a base model that ship with lorakit; none for others."""
    root = resources.path("data") / "base-models" / base
    return {
        file.relative_to(root).as_posix(): json.loads(file.read_text("utf-8"))
        for file in sorted(root.rglob("*.json"))
    }


def _unet(header: Header, base: Mapping[str, Any], projected: int) -> dict[str, Any]:
    """What a UNet's tensors say of its blocks."""
    at = f"{UNET}input_blocks"
    widths: list[int] = []
    depths: list[int] = []
    layers = new_level = 1
    number, level_layers = 1, 0
    while True:
        resnet = shape_of(header, f"{at}.{number}.0.in_layers.2.weight")
        if resnet:
            if new_level:
                widths.append(resnet[0])
                depths.append(_depth(header, f"{at}.{number}.1"))
                new_level, level_layers = 0, 0
            level_layers += 1
            layers = max(layers, level_layers)
        elif shape_of(header, f"{at}.{number}.0.op.weight"):
            new_level = 1
        else:
            break
        number += 1
    if not widths:
        return {}
    kinds = ["CrossAttn" if depth else "" for depth in depths]
    own: dict[str, Any] = {
        "in_channels": (*shape_of(header, f"{at}.0.0.weight"), 0, 0)[1],
        "block_out_channels": widths,
        "layers_per_block": layers,
        "down_block_types": [f"{kind}DownBlock2D" for kind in kinds],
        "up_block_types": [f"{kind}UpBlock2D" for kind in reversed(kinds)],
    }
    cross = shape_of(header, f"{UNET}middle_block.1.transformer_blocks.0.attn2.to_k.weight")
    if cross:
        own["cross_attention_dim"] = cross[-1]
    middle = _depth(header, f"{UNET}middle_block.1")
    # without attention the lowest level's depth is still that of the middle
    depths = [depth or 1 for depth in depths]
    depths[-1] = max(depths[-1], middle or 1)
    if set(depths) != {1} or "transformer_layers_per_block" in base:
        own["transformer_layers_per_block"] = depths
    heads = base["attention_head_dim"]
    if isinstance(heads, list):
        own["attention_head_dim"] = [max(1, width // 64) for width in widths]
    added = shape_of(header, f"{UNET}label_emb.0.0.weight")
    if added:
        own["projection_class_embeddings_input_dim"] = added[1]
        own["addition_time_embed_dim"] = max(1, (added[1] - (_pooled(header) or projected)) // 6)
    return own


def _pooled(header: Header) -> int:
    return (*shape_of(header, f"{_OPEN_CLIP[1]}text_projection"), 0, 0)[1]


def _depth(header: Header, at: str) -> int:
    depth = 0
    while shape_of(header, f"{at}.transformer_blocks.{depth}.attn1.to_q.weight"):
        depth += 1
    return depth


def vae_config(header: Header, prefix: str) -> dict[str, Any]:
    """What an autoencoder's tensors, whose names begin so, say of it."""
    widths: list[int] = []
    at = f"{prefix}encoder.down"
    while shape := shape_of(header, f"{at}.{len(widths)}.block.0.conv1.weight"):
        widths.append(shape[0])
    if not widths:
        return {}
    return {
        "block_out_channels": widths,
        "down_block_types": ["DownEncoderBlock2D"] * len(widths),
        "up_block_types": ["UpDecoderBlock2D"] * len(widths),
        "latent_channels": (*shape_of(header, f"{prefix}decoder.conv_in.weight"), 4, 4)[1],
    }


def _size_texts(header: Header, configs: Configs) -> None:
    """Put the sizes of text encoders into their configurations."""
    for name, prefix, open_clip in (
        ("text_encoder", _CLIP[0], False),
        ("text_encoder", _CLIP[1], False),
        ("text_encoder", _OPEN_CLIP[0], True),
        ("text_encoder_2", _OPEN_CLIP[1], True),
    ):
        config = configs.get(f"{name}/config.json")
        if config is not None and (own := text_config(header, prefix, open_clip=open_clip)):
            config |= own


def text_config(header: Header, prefix: str, *, open_clip: bool) -> dict[str, Any]:
    """What CLIP's tensors, whose names begin so, say of it."""
    words = shape_of(
        header,
        prefix + ("token_embedding.weight" if open_clip else "embeddings.token_embedding.weight"),
    )
    if len(words) != 2:
        return {}
    block = "transformer.resblocks." if open_clip else "encoder.layers."
    inner = "mlp.c_fc.weight" if open_clip else "mlp.fc1.weight"
    layers = {
        int(found[1])
        for key in header.tensors
        if (found := re.match(re.escape(prefix + block) + r"(\d+)\.", key))
    }
    wide = shape_of(header, f"{prefix}{block}0.{inner}")
    # Stable Diffusion 2 leaves out the last layer of its encoder, which its files have
    unread = 1 if open_clip and prefix == _OPEN_CLIP[0] else 0
    own: dict[str, Any] = {
        "vocab_size": words[0],
        "hidden_size": words[1],
        "num_attention_heads": max(1, words[1] // 64),
        "num_hidden_layers": max(1, len(layers) - unread),
    }
    if wide:
        own["intermediate_size"] = wide[0]
    projected = shape_of(header, f"{prefix}text_projection")
    if projected and prefix == _OPEN_CLIP[1]:
        own["projection_dim"] = projected[1]
    return own


def _schedule(header: Header, stem: str, base: str, configs: Configs) -> Iterator[str]:
    """Settle what the UNet predicts and where its timesteps begin; yields what is only assumed."""
    told = header.metadata
    scheduler = configs["scheduler/scheduler_config.json"]
    said = str(told.get("modelspec.prediction_type", "")).lower()
    build = str(told.get("modelspec.architecture", "")).lower()
    title = f"{told.get('modelspec.title', '')} {stem}"
    name, distilled = title.lower(), _DISTILLED.search(title.replace("_", " ")) is not None
    if "v_pred" in header.tensors or said.startswith("v"):
        scheduler["prediction_type"] = "v_prediction"
    elif said.startswith("eps"):
        scheduler["prediction_type"] = "epsilon"
    elif base == "sd-v2":
        small = "v2-512" in build or (
            "768" not in build and (distilled or re.search(r"512|base", name) is not None)
        )
        scheduler["prediction_type"] = "epsilon" if small else "v_prediction"
        if "v2-512" not in build and "768" not in build:
            yield (
                f"nothing in it says what it predicts: taken for Stable Diffusion 2's "
                f"{'512 px form, which predicts noise' if small else '768 px form, which predicts v'}"
            )
    if base == "sd-v2" and scheduler["prediction_type"] == "epsilon":
        configs["unet/config.json"]["sample_size"] = 64
    if "ztsnr" in header.tensors:
        scheduler |= {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}
    if distilled:
        scheduler["timestep_spacing"] = "trailing"
        scheduler.pop("skip_prk_steps", None)
        scheduler["_class_name"] = "EulerDiscreteScheduler"
        index = configs["model_index.json"]
        index["scheduler"] = ["diffusers", "EulerDiscreteScheduler"]
        yield "taken for a distilled model by its name: 4 steps without guidance unless you say more"
