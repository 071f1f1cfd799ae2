"""diffusers' pipelines from a checkpoint in one file, read by diffusers' own loaders, without a network.

What the file lacks comes from a folder that is named for it, and configurations from there or from those
that ship (`facts/models/checkpoint_file.py`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import nn

from lorakit.facts.models.checkpoint_file import ModelFile, read_checkpoint
from lorakit.facts.models.single_file_configs import tokenizer_folder
from lorakit.facts.models.tokens import clip_vocabulary, read_merges
from lorakit.families import FAMILIES
from lorakit.models.pipelines import class_of, joined, part_from, vae_dtype


def from_file(
    path: Path,
    family: str,
    dtype: torch.dtype,
    without: Sequence[str] = (),
    parts: Path | None = None,
    vae: torch.dtype | None = None,
) -> Any:
    """A pipeline of one file, what it lacks from `parts`, its autoencoder in `vae` where that is given.

    Raises OSError, ValueError, LorakitError.
    """
    traits = FAMILIES[family]
    read = read_checkpoint(path, parts)
    index = read.configs["model_index.json"]
    absent = (part.name for part in traits.parts if index.get(part.name) == [None, None])
    given: dict[str, Any] = dict.fromkeys((*without, *absent))
    for part in read.taken:
        if part.name not in given and read.parts is not None:
            kind = str(read.parts.index[part.name][1])
            kept = (vae or vae_dtype(dtype)) if part.name == "vae" else dtype
            given[part.name] = part_from(read.parts.folder, part, kind, kept)
    with _configs(read) as folder:
        options = {k: v for k, v in traits.options(index).items() if k.startswith("requires_")}
        if read.quantised and traits.denoiser not in given:
            given[traits.denoiser] = _quantised(read, folder, dtype)
        if vae not in (None, dtype) and "vae" in read.held - given.keys():
            given["vae"] = _apart(read, folder, "vae", vae)
        if read.held <= given.keys():
            # nothing of the file is to be read any more
            given |= _described(read, folder, given)
            return joined(given, traits, index)
        pipeline = class_of(traits).from_single_file(
            str(path), config=str(folder), local_files_only=True, dtype=dtype, **given, **options
        )
    own = {name: None if name in without else part for name, part in pipeline.components.items()}
    if own["vae"] is not None:
        own["vae"] = own["vae"].to(vae or vae_dtype(dtype))
    for name in traits.weighed:
        network = own.get(name)
        if network is None:
            continue
        if name in traits.encoders:
            # a table of words that is there twice is once in the file
            network.set_input_embeddings(network.get_input_embeddings())
        _check(name, network)
    return joined(own, traits, pipeline.config)


def _quantised(read: ModelFile, folder: Path, dtype: torch.dtype) -> Any:
    """A transformer whose weights stay as they are in a GGUF file, and are called in a dtype."""
    import diffusers

    part = read.family.part(read.family.denoiser)
    loaded = getattr(diffusers, part.classes[0]).from_single_file(
        str(read.file),
        config=str(folder),
        subfolder=part.name,
        quantization_config=diffusers.GGUFQuantizationConfig(compute_dtype=dtype),
        dtype=dtype,
        local_files_only=True,
    )
    _check(part.name, loaded)
    return loaded


def _apart(read: ModelFile, folder: Path, name: str, dtype: torch.dtype | None) -> Any:
    """A part of the file in a dtype that the others do not have."""
    import diffusers

    kind = getattr(diffusers, read.family.part(name).classes[0])
    return kind.from_single_file(
        str(read.file), config=str(folder), subfolder=name, dtype=dtype, local_files_only=True
    )


def _check(name: str, part: nn.Module) -> None:
    """Raise ValueError for weights that the file did not have: they are nowhere yet."""
    lost = next((key for key, value in part.named_parameters() if value.is_meta), None)
    if lost is not None:
        raise ValueError(f"{name} lacks {lost}")


def _described(read: ModelFile, folder: Path, given: dict[str, Any]) -> dict[str, Any]:
    """The parts without weights that are in no folder of parts: the scheduler, and words that ship."""
    import diffusers
    import transformers

    index = read.configs["model_index.json"]
    scheduler = getattr(diffusers, index["scheduler"][1])
    made = {"scheduler": scheduler.from_pretrained(str(folder / "scheduler"))}
    for part in read.family.parts:
        if part.name in given:
            continue
        absent = index[part.name][1] is None
        kind = getattr(transformers, part.classes[0])
        made[part.name] = None if absent else kind.from_pretrained(str(folder / part.name))
    return made


@contextmanager
def _configs(read: ModelFile) -> Iterator[Path]:
    """A folder with a checkpoint's configurations and CLIP's words, as diffusers reads them."""
    merges = tokenizer_folder() / "merges.txt"
    words = json.dumps(clip_vocabulary(read_merges(merges)))
    with TemporaryDirectory() as name:
        folder = Path(name)
        for file, config in read.configs.items():
            target = folder / file
            target.parent.mkdir(exist_ok=True)
            target.write_text(json.dumps(config), "utf-8")
            if target.parent.name.startswith("tokenizer"):
                (target.parent / "merges.txt").write_bytes(merges.read_bytes())
                (target.parent / "vocab.json").write_text(words, "utf-8")
        yield folder
