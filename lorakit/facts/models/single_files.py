"""A checkpoint in one file, as A1111 and ComfyUI use them: what it is stands in the names of its tensors."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lorakit.facts.files.digests import Digests
from lorakit.facts.files.gguf_header import SUFFIX
from lorakit.facts.models.checkpoint_file import ModelFile, read_checkpoint
from lorakit.facts.models.model_configs import ModelError
from lorakit.facts.models.model_facts import ModelFacts
from lorakit.facts.models.original_transformers import bytes_of, count_of
from lorakit.facts.models.single_file_configs import TEXTS, UNET, VAE, tokenizer_folder
from lorakit.facts.models.tokenizer_files import counted_by
from lorakit.facts.models.unet_checks import check_unet
from lorakit.facts.networks import text_encoders
from lorakit.facts.networks.unet_shapes import Shapes, shapes_of
from lorakit.families import Configs
from lorakit.families.parts import latent_factor
from lorakit.language.recipe.documents import ModelSource
from lorakit.store.canonical import digest_of

SUFFIXES = (".safetensors", SUFFIX)


def single_file_facts(
    source: ModelSource, file: Path, digests: Digests, parts: Path | None = None
) -> ModelFacts:
    """The facts of one file, with `parts` that it lacks. Raises ModelError where it cannot be drawn with."""
    read = read_checkpoint(file, parts)
    family, configs = read.family, read.configs
    told: Configs = {
        "": configs["model_index.json"],
        **{name.partition("/")[0]: config for name, config in configs.items() if "/" in name},
    }
    if family.denoiser == "unet":
        check_unet(str(file), family, told["unet"], int(told["vae"].get("latent_channels", 4)))
        _check_sizes(read)
    steps, guidance = family.defaults(told, file.stem.lower())
    # a file says little of itself: what is read into it decides what it draws
    known: dict[str, Any] = {"file": digests.file(file), "configs": configs}
    if read.taken and read.parts is not None:
        names = [name for part in read.taken for name in read.parts.files(part)]
        known["parts"] = digests.files(read.parts.folder, names)
    digest = digest_of(known)
    return ModelFacts(
        name=source.name,
        source=source.source,
        family=family.name,
        path=file,
        parts=read.parts.folder if read.taken and read.parts else None,
        digest=digest,
        vae=digest,
        text_encoder_digest=digest,
        native=family.native(told),
        vae_factor=latent_factor(told),
        token_limit=family.token_limit(told),
        tokenizer=_counted(read, family.words(told).tokenizer),
        num_inference_steps=steps,
        guidance_scale=guidance,
        weight_bytes=file.stat().st_size + _taken_bytes(read),
        configs=told,
        text_shapes=_text_shapes(read, told),
        denoiser_shapes={} if family.denoiser == "unet" else family.shapes(told["transformer"]),
        parameters=_parameters(read),
        quantised_bytes=bytes_of(read.header) if read.quantised else 0,
        remarks=read.remarks,
    )


def _counted(read: ModelFile, name: str) -> Path | None:
    if read.parts is not None and any(part.name == name for part in read.taken):
        return counted_by(read.parts.folder, name)
    return tokenizer_folder()


def _text_shapes(read: ModelFile, told: Configs) -> Shapes:
    """Of the text encoders that can wear adapters."""
    return {
        f"{part}.{name}": shape
        for part in read.family.text_parts
        if part in told
        for name, shape in text_encoders.shapes_of(told[part]).items()
    }


def _check_sizes(read: ModelFile) -> None:
    """The UNet has as many numbers as the one that its configuration describes. Raises ModelError."""
    wanted = sum(map(math.prod, shapes_of(read.configs["unet/config.json"]).values()))
    found = _parameters(read)["unet"]
    if wanted != found:
        raise ModelError(
            f"the UNet of {read.file} is of another build than Stable Diffusion 1, 2 or XL: "
            f"it has {found:,} parameters, where {wanted:,} are expected"
        )


def _parameters(read: ModelFile) -> Mapping[str, int]:
    """Parameters of each part; of text encoders in the file those of all of them together."""
    counts = {"vae": 0, "text_encoder": 0, read.family.denoiser: 0}
    if read.transformer is not None:
        counts[read.family.denoiser] = count_of(read.transformer)
    texts = (*TEXTS, "text_encoders.")
    for name, shape in read.header.shapes.items():
        part = "vae" if name.startswith((VAE, "vae.")) else ""
        part = part or ("text_encoder" if name.startswith(texts) else "")
        if read.transformer is None and name.startswith(UNET):
            part = "unet"
        if part and not re.search(r"position_ids$|logit_scale$", name):
            counts[part] += math.prod(shape)
    for taken in read.taken:
        if read.parts is not None and taken.stem:
            counts[taken.name] = counts.get(taken.name, 0) + read.parts.count(taken)
    return counts


def _taken_bytes(read: ModelFile) -> int:
    if read.parts is None:
        return 0
    return sum(
        (read.parts.folder / name).stat().st_size
        for part in read.taken
        if part.stem
        for name in read.parts.weights(part).files
        if name.endswith(".safetensors")
    )
