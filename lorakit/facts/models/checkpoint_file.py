"""A checkpoint in one file as a whole pipeline: what it holds, and what it takes from a folder."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from lorakit.facts.files.gguf_header import SUFFIX, gguf_header
from lorakit.facts.files.weights_header import WeightsError
from lorakit.facts.files.weights_header import WeightsHeader as Header
from lorakit.facts.models.model_configs import ModelError
from lorakit.facts.models.model_folders import header_of
from lorakit.facts.models.original_configs import part_config
from lorakit.facts.models.original_transformers import Transformer, config_of, transformer_in
from lorakit.facts.models.parts_folder import PartsFolder
from lorakit.facts.models.single_file_configs import (
    UNET,
    VAE,
    Configs,
    configs_of,
    family_of,
    shipped,
    texts_held,
)
from lorakit.families import Family, Part

_SCHEDULER = "scheduler/scheduler_config.json"
_WHERE = "take the whole file of the model, or name a folder in diffusers' layout that has them under parts:"


class ModelFile(NamedTuple):
    """One file: its header, its family, configurations by the names they have in diffusers' layout.

    `held` are the parts that are in the file, `taken` those that are taken from `parts`, weights and words.
    `transformer` is what it holds of one, None where it has a UNet. `remarks` are what a user should know.
    """

    file: Path
    header: Header
    family: Family
    configs: Configs
    held: frozenset[str]
    taken: tuple[Part, ...] = ()
    parts: PartsFolder | None = None
    transformer: Transformer | None = None
    remarks: tuple[str, ...] = ()

    @property
    def quantised(self) -> bool:
        """Whether its weights stay as they are in the file, and are multiplied out where they are used."""
        return self.file.suffix == SUFFIX


def read_checkpoint(file: Path, parts: Path | None = None) -> ModelFile:
    """What a file comes to. Raises ModelError where it cannot be drawn with, or lacks something."""
    folder = PartsFolder(parts) if parts else None
    header = _header(file)
    if any(name.startswith(f"{UNET}input_blocks.0.0.") for name in header.tensors):
        return _with_unet(file, header, folder)
    found = transformer_in(file, header, folder.kind if folder else "")
    if found is None:
        raise _unknown(file, header)
    return _with_transformer(file, header, folder, found)


def checkpoint_family(file: Path) -> Family:
    """The family of a file, whatever it may lack. Raises ModelError."""
    header = _header(file)
    if any(name.startswith(f"{UNET}input_blocks.0.0.") for name in header.tensors):
        return family_of(configs_of(header, file.stem)[0])
    found = transformer_in(file, header, "")
    if found is None:
        raise _unknown(file, header)
    return found.family


def _header(file: Path) -> Header:
    if file.suffix != SUFFIX:
        return header_of(file)
    if importlib.util.find_spec("gguf") is None:
        raise ModelError(f"{file} is read with the gguf package", "pip install 'lorakit[gguf]'")
    try:
        return gguf_header(file)
    except WeightsError as error:
        raise ModelError(str(error), "fetch it anew: a download may have been cut off") from error


def _unknown(file: Path, header: Header) -> ModelError:
    from lorakit.families import FAMILIES

    read = ", ".join(family.title for family in FAMILIES.values() if family.original)
    if file.suffix == SUFFIX:
        return ModelError(
            f"{file} holds no transformer that is read from GGUF files",
            f"those of {read} are",
        )
    if any(name.startswith(UNET) for name in header.tensors):
        return ModelError(
            f"{file} is a checkpoint of another kind: it has no UNet, and no transformer of {read}"
        )
    return ModelError(
        f"{file} holds no UNet under model.diffusion_model and no transformer: not a whole checkpoint",
        "an adapter goes under adapters:, a whole checkpoint under models:",
    )


def _with_unet(file: Path, header: Header, folder: PartsFolder | None) -> ModelFile:
    if any(name.startswith("conditioner.embedders.0.model.") for name in header.tensors) and not (
        any(name.startswith("conditioner.embedders.1.") for name in header.tensors)
    ):
        raise ModelError(f"{file} is SDXL's refiner, which finishes what another model began")
    pooled = (folder.config("text_encoder_2/config.json") if folder else None) or {}
    configs, remarks = configs_of(header, file.stem, int(pooled.get("projection_dim", 0)))
    family = family_of(configs)
    held = {"unet", *texts_held(header)}
    held |= {"vae"} if any(name.startswith(VAE) for name in header.tensors) else set()
    wanted = [part for part in family.parts if part.stem and part.name not in held]
    # words are shipped, but for an encoder of one's own
    wanted += [
        part
        for part in family.parts
        if not part.stem and _encoder(part) in {w.name for w in wanted}
    ]
    taken = [part for part in wanted if folder is not None and folder.has(part)]
    lacking = [part for part in wanted if part not in taken and part.stem]
    _check(file, family, folder, taken, lacking)
    for part in taken:
        if folder is not None and part.stem:
            configs[f"{part.name}/config.json"] = folder.config(f"{part.name}/config.json") or {}
    made = ModelFile(file, header, family, configs, frozenset(held), tuple(taken), folder)
    return made._replace(remarks=(*remarks, *_unused(made)))


def _encoder(part: Part) -> str:
    return part.name.replace("tokenizer", "text_encoder")


def _unused(made: ModelFile) -> Iterator[str]:
    if made.parts is not None and not made.taken:
        yield f"parts: {made.parts.folder} has no effect: {made.file.name} lacks nothing"


def _with_transformer(
    file: Path, header: Header, folder: PartsFolder | None, found: Transformer
) -> ModelFile:
    family = found.family
    base = shipped(family.name)
    configs: Configs = {}
    index: dict[str, Any] = {**(folder.index if folder else {}), "_class_name": family.classes[0]}
    taken: list[Part] = []
    lacking: list[Part] = []
    for part in family.parts:
        index[part.name] = [part.library, part.classes[0]]
        name = f"{part.name}/config.json"
        own = (folder.config(name) if folder and part.stem else None) or base.get(name, {})
        if part.name == family.denoiser:
            configs[name] = config_of(file, found, own)
        elif part.name in found.held:
            configs[name] = part_config(header, found.family, part.name, own)
        elif folder is not None and folder.has(part):
            taken.append(part)
            index[part.name] = folder.index[part.name]
            if part.stem:
                configs[name] = own
        elif part.optional and _encoder(part) not in found.held:
            index[part.name] = [None, None]
        elif part.stem or f"{part.name}/tokenizer_config.json" not in base:
            lacking.append(part)
        else:
            configs[f"{part.name}/tokenizer_config.json"] = base[
                f"{part.name}/tokenizer_config.json"
            ]
    scheduler = (folder.scheduler() if folder else None) or base.get(_SCHEDULER)
    if scheduler is None:
        lacking.append(Part("scheduler", "diffusers", ()))
    else:
        configs[_SCHEDULER] = dict(scheduler)
        index["scheduler"] = ["diffusers", str(scheduler.get("_class_name", ""))]
    _check(file, family, folder, taken, lacking)
    configs["model_index.json"] = index
    made = ModelFile(
        file, header, family, configs, found.held, tuple(taken), folder, transformer=found
    )
    return made._replace(remarks=(*_without(family, configs), *_unused(made)))


def _without(family: Family, configs: Mapping[str, Any]) -> Iterator[str]:
    for part in family.parts:
        if part.optional and part.stem and f"{part.name}/config.json" not in configs:
            yield (
                f"drawn without {part.name} ({part.classes[0]}), which it lacks: "
                "name a folder that has it under parts:"
            )


def _check(
    file: Path,
    family: Family,
    folder: PartsFolder | None,
    taken: list[Part],
    lacking: list[Part],
) -> None:
    """Raise ModelError where something is missing, or is in the folder and cannot be taken."""
    if folder is not None:
        for part in taken:
            folder.check(part, family)
    if not lacking:
        return
    names = ", ".join(part.name for part in lacking)
    alone = file.suffix == SUFFIX
    if folder is not None:
        raise ModelError(f"{file} lacks {names}, and so does {folder.folder}", *_fetched(family))
    raise ModelError(
        f"{file} lacks {names}: "
        + ("a GGUF file is a transformer alone" if alone else "not a whole checkpoint"),
        _WHERE,
        *_fetched(family),
    )


def _fetched(family: Family) -> Iterator[str]:
    """The command that fetches the parts of a family."""
    repository = next(iter(family.published), None)
    if repository is not None:
        yield (
            f'hf download {repository} --exclude "{family.denoiser}/*.safetensors" "*.bin" '
            f"--local-dir models/{family.name}-parts fetches such a folder"
        )
