"""Where a recipe's models are: shipped, on the hub, in a folder, in one file."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from lorakit import resources
from lorakit.facts.files.digests import Digests
from lorakit.facts.hub.hub_copies import snapshot
from lorakit.facts.hub.hub_errors import HubError
from lorakit.facts.models.model_configs import ModelError
from lorakit.facts.models.model_facts import ModelFacts
from lorakit.facts.models.model_files import serving
from lorakit.facts.models.model_folders import (
    check_folder,
    folder_facts,
    has_configs,
    has_parts,
    is_whole,
)
from lorakit.facts.models.parts_folder import PartsError
from lorakit.facts.models.single_file_configs import tokenizer_folder
from lorakit.facts.models.single_files import SUFFIXES, single_file_facts
from lorakit.facts.networks.unet_shapes import shapes_of
from lorakit.families import FAMILIES, PUBLISHED, Published, guessed, titles
from lorakit.families.stable_diffusion import TRAILING
from lorakit.language.recipe.documents import ModelSource

_OWN_COPY = "or put the model in a folder and write from: that folder"


def model_facts(source: ModelSource, digests: Digests, *, download: bool = False) -> ModelFacts:
    """The facts of one model. Raises ModelError where there is no usable model."""
    if source.source.startswith("lorakit:"):
        return folder_facts(source, resources.path(source.source.removeprefix("lorakit:")), digests)
    if source.source.startswith("hub:"):
        repository = source.source.removeprefix("hub:")
        wanted = of_pipelines(repository)
        found = hub_folder(repository, wanted, is_whole, revision=source.revision)
        if found is None and not download:
            return _not_there_yet(source, repository)
        if found is None:
            # what is no model to draw with is known before its gigabytes are fetched
            configs = hub_folder(
                repository,
                without_weights(wanted),
                has_configs,
                revision=source.revision,
                download=True,
            )
            assert configs is not None
            check_folder(source.source, configs)
            found = hub_folder(
                repository, wanted, is_whole, revision=source.revision, download=True
            )
            assert found is not None
        return folder_facts(source, found, digests, revision=found.name)
    path = Path(source.source)
    if path.is_dir():
        if source.parts:
            raise PartsError(
                f"parts: is for a model in one file, and {path} is a folder",
                "leave parts: out, or copy what the folder lacks into it",
            )
        return folder_facts(source, path, digests)
    if path.is_file() and path.suffix in SUFFIXES:
        return _of_file(source, path, digests, download=download)
    if path.is_file():
        raise ModelError(
            f"{path} is no .safetensors and no .gguf file; others can hold programs and are not opened"
        )
    what = "is no file and no folder" if path.exists() else ""
    raise ModelError(f"{path} {what}" if what else f"there is no model at {path}")


def _of_file(source: ModelSource, file: Path, digests: Digests, *, download: bool) -> ModelFacts:
    """The facts of a checkpoint in one file, with the folder that it takes what it lacks from."""
    parts = Path(source.parts) if source.parts else None
    if source.parts.startswith("hub:"):
        repository = source.parts.removeprefix("hub:")
        parts = hub_folder(
            repository,
            beside_denoisers(of_pipelines(repository)),
            has_parts,
            revision=source.revision,
            download=download,
        )
        if parts is None:
            return _not_there_yet(source, repository)
    return single_file_facts(source, file, digests, parts)


def hub_folder(
    repository: str,
    wanted: Callable[[Collection[str]], Sequence[str]],
    complete: Callable[[Path], bool],
    *,
    revision: str = "",
    download: bool = False,
) -> Path | None:
    """The folder of a hub model's files; None if it is not on this machine and `download` is false.

    `wanted` and `complete` are those of `hub.snapshot`. Raises ModelError where a download fails.
    """
    try:
        return snapshot(
            repository,
            download=download,
            revision=revision or None,
            wanted=wanted,
            complete=complete,
        )
    except HubError as error:
        raise ModelError(str(error), *error.hints, _OWN_COPY) from error


def folder_beside(
    source: ModelSource,
    wanted: Callable[[Collection[str]], Sequence[str]],
    complete: Callable[[Path], bool],
    absent: ModelError,
    *,
    download: bool,
) -> Path | None:
    """The folder of a model that stands beside the one that draws; None where the hub's is not here yet.

    `wanted` and `complete` are those of `hub_folder`. Raises ModelError, `absent` where it is no folder.
    """
    if source.source.startswith("hub:"):
        repository = source.source.removeprefix("hub:")
        return hub_folder(repository, wanted, complete, revision=source.revision, download=download)
    folder = Path(source.source)
    if not folder.is_dir():
        raise absent
    return folder


def of_pipelines(repository: str) -> Callable[[Collection[str]], Sequence[str]]:
    """Chooses the files of a repository in diffusers' layout; raises ModelError for one in another."""

    def wanted(listing: Collection[str]) -> Sequence[str]:
        if "model_index.json" in listing:
            if any(f"{family.denoiser}/config.json" in listing for family in FAMILIES.values()):
                return serving(listing)
            raise ModelError(
                f"hub:{repository} is another kind of model: it has no UNet and no transformer",
                f"lorakit draws with {titles()}",
            )
        single = sorted(name for name in listing if name.endswith(".safetensors"))
        hint = (
            f"it has {', '.join(single[:3])}: download one (`hf download {repository} {single[0]}`) "
            "and write from: its path"
            if single
            else "look for a repository with a model_index.json"
        )
        raise ModelError(f"hub:{repository} is not in diffusers' layout: no model_index.json", hint)

    return wanted


def beside_denoisers(
    wanted: Callable[[Collection[str]], Sequence[str]],
) -> Callable[[Collection[str]], Sequence[str]]:
    """Of the files that are wanted those without the weights of what is called step by step."""
    denoisers = tuple({f"{family.denoiser}/" for family in FAMILIES.values()})

    def beside(listing: Collection[str]) -> Sequence[str]:
        names = wanted(listing)
        return [n for n in names if not (n.startswith(denoisers) and n.endswith(".safetensors"))]

    return beside


def without_weights(
    wanted: Callable[[Collection[str]], Sequence[str]],
) -> Callable[[Collection[str]], Sequence[str]]:
    """Of the files that are wanted those without weights."""
    return lambda listing: [n for n in wanted(listing) if not n.endswith(".safetensors")]


def _not_there_yet(source: ModelSource, repository: str) -> ModelFacts:
    """A hub model before it is downloaded: what was published of it, or what its name says."""
    family = guessed(repository)
    known = PUBLISHED.get(repository, Published({}, 0))
    configs = dict(known.configs)
    if "turbo" in repository.lower() and family.waves:
        configs = {"scheduler": TRAILING, **configs}
    parameters = known.parameters or sum(
        map(math.prod, shapes_of(configs.get("unet", {})).values())
    )
    fetched = known.others + (0 if source.parts else parameters)
    size = fetched * family.published_bytes
    steps, guidance = family.defaults(configs, repository.lower())
    return ModelFacts(
        source.name,
        source.source,
        family.name,
        None,
        None,
        native=family.native(configs),
        token_limit=family.token_limit(configs),
        num_inference_steps=steps,
        guidance_scale=guidance,
        # all that read with CLIP alone read with the same words
        tokenizer=tokenizer_folder() if family.words(configs).kind == "clip" else None,
        weight_bytes=size,
        download_bytes=size,
        configs=configs,
        parameters={family.denoiser: parameters, "others": known.others} if parameters else {},
        remarks=() if size else ("how much is to be downloaded is not known before a run",),
    )
