"""A model in diffusers' layout: a folder with a configuration and weights for each part of a pipeline."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lorakit.facts.files.digests import Digests
from lorakit.facts.files.weights_header import WeightsError, WeightsHeader, weights_header
from lorakit.facts.models.distilled import defaults_of
from lorakit.facts.models.model_configs import ModelError, read_config, read_json
from lorakit.facts.models.model_facts import Family, ModelFacts
from lorakit.facts.models.model_files import check_weights, listing_of, serving
from lorakit.facts.networks import text_encoders
from lorakit.language.recipe.documents import ModelSource

_FAMILIES: Mapping[str, Family] = {
    "StableDiffusionPipeline": "sd",
    "StableDiffusionImg2ImgPipeline": "sd",
    "LatentConsistencyModelPipeline": "sd",
    "LatentConsistencyModelImg2ImgPipeline": "sd",
    "StableDiffusionXLPipeline": "sdxl",
    "StableDiffusionXLImg2ImgPipeline": "sdxl",
}
_DRAWN = "StableDiffusionPipeline, StableDiffusionXLPipeline"
# by how many channels more than latents have a UNet reads
_OTHER_INPUTS = {
    5: "an inpainting model: its UNet reads a mask and a masked picture beside the latents",
    4: "a model that edits pictures, such as InstructPix2Pix: its UNet reads a picture beside the latents",
    1: "a depth model: its UNet reads a map of depths beside the latents",
    3: "an upscaler: its UNet reads a small picture beside the latents",
}
# of each part the classes that are loaded: from diffusers, or for words from transformers
_TOKENIZERS = ("CLIPTokenizer", "CLIPTokenizerFast")
CLASSES: Mapping[str, tuple[str, ...]] = {
    "unet": ("UNet2DConditionModel",),
    "vae": ("AutoencoderKL", "AutoencoderTiny"),
    "text_encoder": ("CLIPTextModel",),
    "text_encoder_2": ("CLIPTextModelWithProjection",),
    "tokenizer": _TOKENIZERS,
    "tokenizer_2": _TOKENIZERS,
}
_MOST_BLOCKS = 1000
_WORDS = ("tokenizer.json", "vocab.json")


@dataclass(frozen=True, slots=True)
class _Told:
    """What a folder's configurations say."""

    family: Family
    unet: Mapping[str, Any]
    vae: Mapping[str, Any]
    scheduler: Mapping[str, Any]
    texts: tuple[str, ...]
    token_limit: int


def check_folder(name: str, folder: Path) -> _Told:
    """Read a folder's configurations. Raises ModelError for a model that cannot be drawn with."""
    if not (folder / "model_index.json").is_file():
        raise ModelError(f"{folder} has no model_index.json: not a model in diffusers' layout")
    index = read_config(folder, "model_index.json")
    family = _family(name, index)
    _check_classes(name, index, family)
    unet = read_config(folder, "unet/config.json")
    vae = read_config(folder, "vae/config.json")
    check_unet(name, family, unet, int(vae.get("latent_channels", 4)))
    texts = ("text_encoder", "text_encoder_2") if family == "sdxl" else ("text_encoder",)
    limits = [_token_limit(folder, part) for part in texts]
    listing = listing_of(folder)
    for part in ("tokenizer", *(("tokenizer_2",) if family == "sdxl" else ())):
        _check_words(folder, listing, part)
    scheduler = read_config(folder, "scheduler/scheduler_config.json")
    return _Told(family, unet, vae, scheduler, texts, min(limits))


def folder_facts(
    source: ModelSource, folder: Path, digests: Digests, revision: str = ""
) -> ModelFacts:
    """The facts of a folder. Raises ModelError where it cannot be drawn with."""
    told = check_folder(source.source, folder)
    listing = listing_of(folder)
    weights = {part: check_weights(folder, part, listing) for part in ("unet", "vae", *told.texts)}
    steps, guidance = defaults_of(told.family, told.unet, told.scheduler)
    studio = read_config(folder, "studio.json") if (folder / "studio.json").is_file() else {}
    words = studio.get("vocabulary")
    factor = latent_factor(told.vae)
    files = serving(listing)
    tensors = [name for found in weights.values() for name in found.files if _holds(name)]
    return ModelFacts(
        name=source.name,
        source=source.source,
        family=told.family,
        path=folder,
        digest=digests.files(folder, files),
        native=native_size(told.unet, factor, told.family),
        vae_factor=factor,
        token_limit=told.token_limit,
        tokenizer=folder / "tokenizer",
        vocabulary=frozenset(words) if words else None,
        num_inference_steps=int(studio.get("default_num_inference_steps", steps)),
        guidance_scale=float(studio.get("default_guidance_scale", guidance)),
        weight_bytes=sum((folder / name).stat().st_size for name in tensors),
        revision=revision,
        unet=told.unet,
        vae_config=told.vae,
        scheduler=told.scheduler,
        vae=digests.files(folder, [n for n in files if n.startswith("vae/")]),
        text_encoder_digest=digests.files(
            folder, [n for n in files if n.startswith(("text_", "tokenizer"))]
        ),
        text_shapes=text_encoders.shapes_in(folder, files),
        parameters={part: _elements(folder, found.files) for part, found in weights.items()},
    )


def latent_factor(vae: Mapping[str, Any]) -> int:
    """How many px a latent is wide."""
    blocks = vae.get("block_out_channels") or vae.get("decoder_block_out_channels") or [0] * 4
    return int(2 ** (len(blocks) - 1))


def has_configs(folder: Path) -> bool:
    """Whether a folder says what kind of model it is."""
    return {"model_index.json", "unet/config.json", "vae/config.json"} <= listing_of(folder)


def is_whole(folder: Path) -> bool:
    """Whether a folder has all that a pipeline needs, or what makes it another kind of model."""
    listing = listing_of(folder)
    if "model_index.json" not in listing:
        return False
    try:
        index = read_config(folder, "model_index.json")
        family = _FAMILIES.get(str(index["_class_name"]))
        if family is None:
            return True
        texts = ("text_encoder_2",) if family == "sdxl" else ()
        for part in ("unet", "vae", "text_encoder", *texts):
            check_weights(folder, part, listing)
            if f"{part}/config.json" not in listing:
                return False
    except ModelError:
        return False
    return "scheduler/scheduler_config.json" in listing


def native_size(unet: Mapping[str, Any], factor: int, family: Family) -> tuple[int, int]:
    """The width and height in px that a UNet was trained at."""
    size = unet.get("sample_size") or (128 if family == "sdxl" else 64)
    height, width = size if isinstance(size, list | tuple) else (size, size)
    return int(width) * factor, int(height) * factor


def check_unet(name: str, family: Family, unet: Mapping[str, Any], latents: int) -> None:
    """Raise ModelError for a UNet that wants more than latents, times and words."""
    read = int(unet["in_channels"])
    if read != latents:
        what = _OTHER_INPUTS.get(read - latents, f"another kind of model: its UNet reads {read}")
        raise ModelError(
            f"{name} is {what} ({read} channels for {latents}); lorakit draws from words",
            "name the text-to-image model that it was made from",
        )
    asked = unet.get("addition_embed_type")
    if asked != ("text_time" if family == "sdxl" else None):
        raise ModelError(f"the UNet of {name} is not one of {_DRAWN}: it asks for {asked}")
    for key in ("class_embed_type", "encoder_hid_dim_type", "num_class_embeds"):
        if unet.get(key) is not None:
            raise ModelError(
                f"the UNet of {name} is not one of {_DRAWN}: it has {key}: {unet[key]}"
            )
    _check_blocks(name, unet)


def _check_blocks(name: str, unet: Mapping[str, Any]) -> None:
    """Lists of a UNet's configuration have an entry for each block."""
    widths = unet.get("block_out_channels")
    if widths is None:
        return
    _check_depth(name, unet, len(widths))
    lists = (
        "down_block_types",
        "up_block_types",
        "layers_per_block",
        "transformer_layers_per_block",
        "attention_head_dim",
        "cross_attention_dim",
    )
    for key in lists:
        value = unet.get(key)
        if isinstance(value, list) and len(value) != len(widths):
            raise ModelError(
                f"unet/config.json of {name} has {len(value)} {key} for {len(widths)} block_out_channels",
                "the file is damaged, or of another kind of model: fetch it anew",
            )


def _check_depth(name: str, unet: Mapping[str, Any], levels: int) -> None:
    """Raise ModelError for more blocks than could be counted in reasonable time."""

    def each(key: str, default: int) -> list[int]:
        told = unet.get(key, default)
        listed = told if isinstance(told, list) else [told] * levels
        return [one if isinstance(one, int) else 1 for one in listed]

    layers, depths = each("layers_per_block", 2), each("transformer_layers_per_block", 1)
    blocks = sum(
        (2 * count + 1) * max(1, depth) for count, depth in zip(layers, depths, strict=False)
    )
    if blocks > _MOST_BLOCKS:
        raise ModelError(
            f"unet/config.json of {name} asks for {blocks:,} blocks, where SDXL has some 70",
            "the file is damaged, or of another kind of model: fetch it anew",
        )


def _family(name: str, index: Mapping[str, Any]) -> Family:
    kind = str(index["_class_name"])
    family = _FAMILIES.get(kind)
    if family is None:
        raise ModelError(f"{name} holds a {kind}; lorakit draws with {_DRAWN}")
    if family == "sdxl" and not (index.get("text_encoder") or [None])[0]:
        raise ModelError(
            f"{name} is SDXL's refiner, which finishes what another model began; lorakit draws with {_DRAWN}",
            "name the base model: hub:stabilityai/stable-diffusion-xl-base-1.0",
        )
    return family


def _check_classes(name: str, index: Mapping[str, Any], family: Family) -> None:
    """A model may bring classes of its own, which are programs: only those known here are loaded."""
    for part, known in CLASSES.items():
        if part.endswith("_2") and family != "sdxl":
            continue
        told = index.get(part)
        kind = told[1] if told else None
        if kind not in known:
            what = f"is a {kind}" if kind else "is missing"
            raise ModelError(f"{part} of {name} {what}; lorakit draws with {known[0]}")


def _token_limit(folder: Path, part: str) -> int:
    return int(read_config(folder, f"{part}/config.json").get("max_position_embeddings", 77))


def _check_words(folder: Path, listing: frozenset[str], part: str) -> None:
    if not any(f"{part}/{file}" in listing for file in _WORDS):
        raise ModelError(
            f"{folder / part} has neither tokenizer.json nor vocab.json and merges.txt"
        )
    for file in _WORDS:
        if f"{part}/{file}" not in listing:
            continue
        told = read_json(folder / part / file, f"{part}/{file}")
        words = told.get("model") if file == _WORDS[0] else told
        if not isinstance(words, dict) or not words:
            raise ModelError(f"{part}/{file} of the model in {folder} holds no words")


def _holds(name: str) -> bool:
    return name.endswith(".safetensors")


def header_of(file: Path) -> WeightsHeader:
    """The header of a file of weights. Raises ModelError."""
    try:
        return weights_header(file)
    except WeightsError as error:
        raise ModelError(str(error), "fetch it anew: a download may have been cut off") from error
    except OSError as error:
        raise ModelError(f"{file} cannot be read: {error.strerror}") from error


def _elements(folder: Path, files: Sequence[str]) -> int:
    """How many numbers a network's weights are. Raises ModelError for a file that is none."""
    count = 0
    for name in filter(_holds, files):
        header = header_of(folder / name)
        count += sum(map(math.prod, header.shapes.values()))
    return count
