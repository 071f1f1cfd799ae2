"""A model in diffusers' layout: a folder with a configuration and weights for each part of a pipeline."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from lorakit.facts.files.digests import Digests
from lorakit.facts.files.weights_header import WeightsError, WeightsHeader, weights_header
from lorakit.facts.models.loadable import check_scheduler, check_sizes
from lorakit.facts.models.model_configs import ModelError, read_config
from lorakit.facts.models.model_facts import ModelFacts
from lorakit.facts.models.model_files import check_weights, listing_of, serving
from lorakit.facts.models.tokenizer_files import check_words, counted_by
from lorakit.facts.models.unet_checks import UNETS, check_unet
from lorakit.facts.networks import text_encoders
from lorakit.families import BY_CLASS, FAMILIES, Configs, Family, Part, drawn_with
from lorakit.families.parts import latent_factor
from lorakit.language.recipe.documents import ModelSource


class _Told(NamedTuple):
    """What a folder's configurations say, and the paths that it holds."""

    family: Family
    configs: Configs
    listing: frozenset[str]


def check_folder(name: str, folder: Path) -> _Told:
    """Read a folder's configurations. Raises ModelError for a model that cannot be drawn with."""
    if not (folder / "model_index.json").is_file():
        raise ModelError(f"{folder} has no model_index.json: not a model in diffusers' layout")
    index = read_config(folder, "model_index.json")
    family = _family(name, index)
    parts = _parts(name, index, family)
    listing = listing_of(folder)
    configs: dict[str, Mapping[str, Any]] = {"": index}
    for part in parts:
        if part.stem:
            configs[part.name] = read_config(folder, f"{part.name}/config.json")
    if family.denoiser == "unet":
        check_unet(name, family, configs["unet"], int(configs["vae"].get("latent_channels", 4)))
    for part in parts:
        if part.name.startswith("tokenizer"):
            check_words(folder, listing, part.name)
    configs["scheduler"] = read_config(folder, "scheduler/scheduler_config.json")
    check_scheduler(name, configs["scheduler"])
    return _Told(family, configs, listing)


def folder_facts(
    source: ModelSource, folder: Path, digests: Digests, revision: str = ""
) -> ModelFacts:
    """The facts of a folder. Raises ModelError where it cannot be drawn with."""
    told = check_folder(source.source, folder)
    family, configs, listing = told.family, told.configs, told.listing
    weights = {
        part: check_weights(folder, part, listing) for part in family.weighed if part in configs
    }
    steps, guidance = family.defaults(configs, f"{source.source}/{folder.name}".lower())
    studio = read_config(folder, "studio.json") if (folder / "studio.json").is_file() else {}
    words = studio.get("vocabulary")
    files = serving(listing)
    tensors = [name for found in weights.values() for name in found.files if _holds(name)]
    shapes = {part: _shapes(folder, found.files) for part, found in weights.items()}
    denoiser = shapes[family.denoiser]
    if family.denoiser == "unet":
        check_sizes(source.source, configs["unet"], denoiser)
    return ModelFacts(
        name=source.name,
        source=source.source,
        family=family.name,
        path=folder,
        digest=digests.files(folder, files),
        native=family.native(configs),
        vae_factor=latent_factor(configs),
        token_limit=family.token_limit(configs),
        tokenizer=counted_by(folder, family.words(configs).tokenizer),
        vocabulary=frozenset(words) if words else None,
        num_inference_steps=int(studio.get("default_num_inference_steps", steps)),
        guidance_scale=float(studio.get("default_guidance_scale", guidance)),
        weight_bytes=sum((folder / name).stat().st_size for name in tensors),
        revision=revision,
        configs=configs,
        vae=digests.files(folder, [n for n in files if n.startswith("vae/")]),
        text_encoder_digest=digests.files(
            folder, [n for n in files if n.startswith(("text_", "tokenizer"))]
        ),
        text_shapes=text_encoders.shapes_in(folder, files),
        denoiser_shapes={} if family.denoiser == "unet" else denoiser,
        parameters={part: sum(map(math.prod, held.values())) for part, held in shapes.items()},
    )


def has_configs(folder: Path) -> bool:
    """Whether a folder says what kind of model it is."""
    listing = listing_of(folder)
    return {"model_index.json", "vae/config.json"} <= listing and any(
        f"{family.denoiser}/config.json" in listing for family in FAMILIES.values()
    )


def has_parts(folder: Path) -> bool:
    """Whether a folder has all that a pipeline needs but for the weights of its denoiser."""
    return is_whole(folder, denoiser=False)


def is_whole(folder: Path, *, denoiser: bool = True) -> bool:
    """Whether a folder has all that a pipeline needs, or what makes it another kind of model."""
    listing = listing_of(folder)
    if "model_index.json" not in listing:
        return False
    try:
        index = read_config(folder, "model_index.json")
        family = BY_CLASS.get(str(index["_class_name"]))
        if family is None:
            return True
        for part in family.weighed:
            if family.part(part).optional and not _named(index, part):
                continue
            if denoiser or part != family.denoiser:
                check_weights(folder, part, listing)
            if f"{part}/config.json" not in listing:
                return False
    except ModelError:
        return False
    return "scheduler/scheduler_config.json" in listing


def _family(name: str, index: Mapping[str, Any]) -> Family:
    kind = str(index["_class_name"])
    family = BY_CLASS.get(kind)
    if family is None:
        raise ModelError(f"{name} holds a {kind}; lorakit draws with {drawn_with()}")
    if kind == family.pipelines.get("inpaint"):
        raise ModelError(
            f"{name} holds a {kind}, which fills in what a mask covers; lorakit draws from words",
            "name the text-to-image model that it was made from",
        )
    if family.pooled and not _named(index, "text_encoder"):
        raise ModelError(
            f"{name} is SDXL's refiner, which finishes what another model began; "
            f"lorakit draws with {UNETS}",
            "name the base model: hub:stabilityai/stable-diffusion-xl-base-1.0",
        )
    return family


def _named(index: Mapping[str, Any], part: str) -> str | None:
    """The class of a part, as model_index.json has it; None for one that is not there."""
    told = index.get(part)
    return told[1] if told else None


def _parts(name: str, index: Mapping[str, Any], family: Family) -> tuple[Part, ...]:
    """The components of a model, those it lacks left out.

    A model may bring classes of its own, which are programs: only those known here are loaded.
    """
    found = []
    for part in family.parts:
        kind = _named(index, part.name)
        if kind is None and part.optional:
            continue
        if kind not in part.classes:
            what = f"is a {kind}" if kind else "is missing"
            raise ModelError(f"{part.name} of {name} {what}; lorakit draws with {part.classes[0]}")
        if part.needs and importlib.util.find_spec(part.needs) is None:
            raise ModelError(
                f"{part.name} of {name} is a {kind}, which {part.library} loads with {part.needs} alone",
                f"pip install {part.needs}, in the version that is made for this torch",
            )
        found.append(part)
    return tuple(found)


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


def _shapes(folder: Path, files: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """A network's parameters by name, of all its files. Raises ModelError."""
    return {
        key: shape
        for name in filter(_holds, files)
        for key, shape in header_of(folder / name).shapes.items()
    }
