"""A checkpoint in one file, as A1111 and ComfyUI use them: what it is stands in the names of its tensors."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path

from lorakit.facts.files.digests import Digests
from lorakit.facts.files.weights_header import WeightsHeader as Header
from lorakit.facts.models.model_configs import ModelError
from lorakit.facts.models.model_facts import ModelFacts
from lorakit.facts.models.model_folders import header_of
from lorakit.facts.models.single_file_configs import (
    TEXTS,
    UNET,
    VAE,
    Configs,
    configs_of,
    family_of,
    tokenizer_folder,
)
from lorakit.facts.models.unet_checks import check_unet
from lorakit.facts.networks import text_encoders
from lorakit.facts.networks.unet_shapes import shapes_of
from lorakit.families.parts import latent_factor
from lorakit.language.recipe.documents import ModelSource
from lorakit.store.canonical import digest_of


def single_file_facts(source: ModelSource, file: Path, digests: Digests) -> ModelFacts:
    """The facts of one file. Raises ModelError where it cannot be drawn with."""
    header = header_of(file)
    _check(file, header)
    configs, remarks = configs_of(header, file.stem)
    family = family_of(configs)
    parts = {name.partition("/")[0]: config for name, config in configs.items()}
    check_unet(str(file), family, parts["unet"], int(parts["vae"]["latent_channels"]))
    _check_sizes(file, header, configs)
    steps, guidance = family.defaults(parts, file.stem.lower())
    # a file says little of itself: what is read into it decides what it draws
    digest = digest_of({"file": digests.file(file), "configs": configs})
    return ModelFacts(
        name=source.name,
        source=source.source,
        family=family.name,
        path=file,
        digest=digest,
        vae=digest,
        text_encoder_digest=digest,
        native=family.native(parts),
        vae_factor=latent_factor(parts),
        tokenizer=tokenizer_folder(),
        num_inference_steps=steps,
        guidance_scale=guidance,
        weight_bytes=file.stat().st_size,
        configs={**parts, "": configs["model_index.json"]},
        text_shapes={
            f"{part}.{name}": shape
            for part in family.text_parts
            for name, shape in text_encoders.shapes_of(configs[f"{part}/config.json"]).items()
        },
        parameters=_parameters(header),
        remarks=remarks,
    )


def _check(file: Path, header: Header) -> None:
    """A checkpoint has a UNet, a VAE and text encoders. Raises ModelError."""

    def has(*prefixes: str) -> bool:
        return any(name.startswith(prefixes) for name in header.tensors)

    if not has(f"{UNET}input_blocks.0.0."):
        if has(UNET):
            raise ModelError(
                f"{file} is a checkpoint of another kind (Flux, Stable Diffusion 3, ...): it has no UNet; "
                "lorakit draws with Stable Diffusion 1, 2 and XL"
            )
        raise ModelError(
            f"{file} holds no UNet under model.diffusion_model: not a whole checkpoint",
            "an adapter goes under adapters:, a whole checkpoint under models:",
        )
    if has("conditioner.embedders.0.model.") and not has("conditioner.embedders.1."):
        raise ModelError(f"{file} is SDXL's refiner, which finishes what another model began")
    missing = [
        what
        for what, prefixes in (("a VAE (first_stage_model)", (VAE,)), ("text encoders", TEXTS))
        if not has(*prefixes)
    ]
    if missing:
        raise ModelError(
            f"{file} lacks {' and '.join(missing)}: not a whole checkpoint",
            "take the whole file of the model, or its folder in diffusers' layout",
        )


def _check_sizes(file: Path, header: Header, configs: Configs) -> None:
    """The UNet has as many numbers as the one that its configuration describes. Raises ModelError."""
    wanted = sum(map(math.prod, shapes_of(configs["unet/config.json"]).values()))
    found = _parameters(header)["unet"]
    if wanted != found:
        raise ModelError(
            f"the UNet of {file} is of another build than Stable Diffusion 1, 2 or XL: "
            f"it has {found:,} parameters, where {wanted:,} are expected"
        )


def _parameters(header: Header) -> Mapping[str, int]:
    counts = {"unet": 0, "vae": 0, "text_encoder": 0}
    for name, shape in header.shapes.items():
        part = "unet" if name.startswith(UNET) else "vae" if name.startswith(VAE) else ""
        part = part or ("text_encoder" if name.startswith(TEXTS) else "")
        if part and not re.search(r"position_ids$|logit_scale$", name):
            counts[part] += math.prod(shape)
    return counts
