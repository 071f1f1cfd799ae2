"""What a plan needs to know of a model: family, sizes, limits and a digest, read without torch."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from lorakit import resources
from lorakit.diagnostics import LorakitError
from lorakit.facts import text_encoders
from lorakit.facts.digests import Digests
from lorakit.facts.hub import HubError, snapshot
from lorakit.facts.unet_shapes import PUBLISHED, Shapes, shapes_of
from lorakit.facts.weights_header import WeightsError, WeightsHeader, weights_header
from lorakit.language.recipe.documents import ModelSource

Family = Literal["sd", "sdxl"]
_FAMILIES: Mapping[str, Family] = {
    "StableDiffusionPipeline": "sd",
    "StableDiffusionImg2ImgPipeline": "sd",
    "StableDiffusionXLPipeline": "sdxl",
    "StableDiffusionXLImg2ImgPipeline": "sdxl",
}
_COMPONENTS = (
    "unet",
    "vae",
    "text_encoder",
    "text_encoder_2",
    "tokenizer",
    "tokenizer_2",
    "scheduler",
)
# what diffusers itself would download for these families, and nothing else
HUB_PATTERNS = [
    "model_index.json",
    *(f"{part}/*.json" for part in _COMPONENTS),
    *(f"{part}/*.txt" for part in _COMPONENTS),
    *(f"{part}/*.safetensors" for part in _COMPONENTS),
]


class ModelError(LorakitError):
    """A model cannot be used; the message says why and what would help."""


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """A model as a plan sees it. Sizes in px; `vae_factor` px a latent; `token_limit` with both ends.

    `path` and `digest` are None until a hub model has been downloaded; `unet` is the UNet's configuration,
    as published where it is not there yet, and empty where nothing is known. `vae` and `texts` are the
    digests of what encodes pictures and words, `text_shapes` the text encoders' parameters by name, empty
    where they are not known.
    """

    name: str
    source: str
    family: Family
    path: Path | None
    digest: str | None
    native: tuple[int, int] = (512, 512)
    vae_factor: int = 8
    token_limit: int = 77
    tokenizer: Path | None = None
    vocabulary: frozenset[str] | None = None
    num_inference_steps: int = 20
    guidance_scale: float = 7.5
    weight_bytes: int = 0
    revision: str = ""
    unet: Mapping[str, Any] = field(default_factory=dict, repr=False)
    vae: str = ""
    texts: str = ""
    text_shapes: Shapes = field(default_factory=dict, repr=False)


def _json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{path.name} of the model in {path.parent} cannot be read: {error}"
        ) from error
    if not isinstance(data, dict):
        raise ModelError(f"{path} is not a model's configuration")
    return data


def _pair(size: object, factor: int) -> tuple[int, int]:
    if isinstance(size, list | tuple):
        height, width = size
        return int(width) * factor, int(height) * factor
    return int(size) * factor, int(size) * factor  # type: ignore[call-overload]


def _weights(folder: Path) -> list[str]:
    names = ["model_index.json"]
    for part in _COMPONENTS:
        names += [
            f"{part}/{file.name}"
            for file in sorted((folder / part).glob("*"))
            if file.suffix in (".json", ".txt", ".safetensors") and ".fp16." not in file.name
        ]
    return names


def pipeline_files(model: ModelFacts, *, trained_text: bool) -> tuple[str, ...]:
    """The files of a model in diffusers' layout once it was trained: one file for each trained network.

    That is the UNet, and with `trained_text` the text encoders. Empty where there is no folder.
    """
    if model.path is None or not model.path.is_dir():
        return ()
    made = [
        f"{part}/{'diffusion_pytorch_model' if part == 'unet' else 'model'}.safetensors"
        for part in _trained(trained_text=trained_text)
        if (model.path / part).is_dir()
    ]
    return (*_copied(model.path, trained_text=trained_text), *made)


def copied_bytes(model: ModelFacts, *, trained_text: bool) -> int | None:
    """The bytes of those of them that are not trained; None where there is no folder."""
    if model.path is None or not model.path.is_dir():
        return None
    names = _copied(model.path, trained_text=trained_text)
    return sum((model.path / name).stat().st_size for name in names)


def _trained(*, trained_text: bool) -> tuple[str, ...]:
    return ("unet", *(("text_encoder", "text_encoder_2") if trained_text else ()))


def _copied(folder: Path, *, trained_text: bool) -> list[str]:
    trained = _trained(trained_text=trained_text)
    return [
        name
        for name in _weights(folder)
        if name.partition("/")[0] not in trained or name.endswith("/config.json")
    ]


def _folder(source: ModelSource, folder: Path, digests: Digests, revision: str = "") -> ModelFacts:
    index_path = folder / "model_index.json"
    if not index_path.is_file():
        raise ModelError(f"{folder} has no model_index.json: not a model in diffusers' layout")
    kind = str(_json(index_path).get("_class_name"))
    family = _FAMILIES.get(kind)
    if family is None:
        known = "StableDiffusionPipeline, StableDiffusionXLPipeline"
        raise ModelError(f"{folder} holds a {kind}; lorakit draws with {known}")
    unet = _json(folder / "unet" / "config.json")
    vae = _json(folder / "vae" / "config.json")
    blocks = vae.get("block_out_channels") or vae.get("decoder_block_out_channels") or [0] * 4
    factor = 2 ** (len(blocks) - 1)
    files = _weights(folder)
    if not any(name.startswith("unet/") and name.endswith(".safetensors") for name in files):
        raise ModelError(f"{folder}/unet has no .safetensors file; other formats are not opened")
    for name in files:
        if name.endswith(".safetensors"):
            _header(folder / name)
    own = folder / "studio.json"
    studio = _json(own) if own.is_file() else {}
    steps = studio.get("default_num_inference_steps", 20)
    guidance = studio.get("default_guidance_scale", 5.0 if family == "sdxl" else 7.5)
    limit = 77
    text = folder / "text_encoder" / "config.json"
    if text.is_file():
        limit = int(_json(text).get("max_position_embeddings", 77))
    words = studio.get("vocabulary")
    return ModelFacts(
        name=source.name,
        source=source.source,
        family=family,
        path=folder,
        digest=digests.files(folder, files),
        native=_pair(unet.get("sample_size", 64), factor),
        vae_factor=factor,
        token_limit=limit,
        tokenizer=folder / "tokenizer",
        vocabulary=frozenset(words) if words else None,
        num_inference_steps=int(steps),
        guidance_scale=float(guidance),
        weight_bytes=sum((folder / n).stat().st_size for n in files if n.endswith(".safetensors")),
        revision=revision,
        unet=unet,
        vae=digests.files(folder, [n for n in files if n.startswith("vae/")]),
        texts=digests.files(folder, [n for n in files if n.startswith(("text_", "tokenizer"))]),
        text_shapes=text_encoders.shapes_in(folder, files),
    )


def _single_file(source: ModelSource, file: Path, digests: Digests) -> ModelFacts:
    """A checkpoint in one file, as A1111 and ComfyUI use them; its family stands in its key names."""
    header = _header(file)
    if not any(key.startswith("model.diffusion_model.") for key in header.tensors):
        raise ModelError(
            f"{file} holds no UNet under model.diffusion_model: not a whole checkpoint"
        )
    large = any(key.startswith("conditioner.embedders.1.") for key in header.tensors)
    side = 1024 if large else 512
    digest = digests.file(file)
    return ModelFacts(
        name=source.name,
        source=source.source,
        family="sdxl" if large else "sd",
        path=file,
        digest=digest,
        vae=digest,
        texts=digest,
        native=(side, side),
        guidance_scale=5.0 if large else 7.5,
        weight_bytes=file.stat().st_size,
        unet=_unet_of(header),
    )


def _header(file: Path) -> WeightsHeader:
    try:
        return weights_header(file)
    except WeightsError as error:
        raise ModelError(str(error)) from error
    except OSError as error:
        raise ModelError(f"{file} cannot be read: {error.strerror}") from error


def _unet_of(header: WeightsHeader) -> Mapping[str, Any]:
    """The published UNet that a checkpoint's cross-attention fits; empty for none."""
    key = "model.diffusion_model.middle_block.1.transformer_blocks.0.attn2.to_k.weight"
    width = (header.shapes.get(key) or (0,))[-1]
    fitting = (unet for unet, _ in PUBLISHED.values() if unet["cross_attention_dim"] == width)
    return next(fitting, {})


def hub_folder(
    repository: str, *, download: bool = False, patterns: Sequence[str] = HUB_PATTERNS
) -> Path | None:
    """The folder of a hub model's files; None if it is not on this machine and `download` is false.

    Raises ModelError where a download fails.
    """
    try:
        return snapshot(repository, download=download, patterns=patterns)
    except HubError as error:
        hint = " (offline? put the model in a folder and write from: that folder)"
        raise ModelError(f"{error}{hint}") from error


def model_facts(source: ModelSource, digests: Digests, *, download: bool = False) -> ModelFacts:
    """The facts of one model. Raises ModelError where there is no usable model."""
    if source.source.startswith("lorakit:"):
        return _folder(source, resources.path(source.source.removeprefix("lorakit:")), digests)
    if source.source.startswith("hub:"):
        repository = source.source.removeprefix("hub:")
        found = hub_folder(repository, download=download)
        if found is None:
            return _not_there_yet(source, repository)
        return _folder(source, found, digests, revision=found.name)
    path = Path(source.source)
    if path.is_dir():
        return _folder(source, path, digests)
    if path.is_file() and path.suffix == ".safetensors":
        return _single_file(source, path, digests)
    if path.is_file():
        raise ModelError(
            f"{path} is not a .safetensors file; other formats can hold programs and are not opened"
        )
    raise ModelError(f"there is no model at {path}")


def _not_there_yet(source: ModelSource, repository: str) -> ModelFacts:
    """A hub model before it is downloaded: what was published of it, or what its name says."""
    unet, others = PUBLISHED.get(repository, ({}, 0))
    large = "xl" in repository.lower()
    native = _pair(unet.get("sample_size", 128 if large else 64), 8)
    parameters = sum(map(math.prod, shapes_of(unet).values())) + others
    return ModelFacts(
        source.name,
        source.source,
        "sdxl" if large else "sd",
        None,
        None,
        native=native,
        weight_bytes=parameters * 4,
        unet=unet,
    )
