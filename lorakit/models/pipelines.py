"""diffusers' pipelines put together from their parts, each of a class that is known here.

A folder names its classes itself, and may name some of its own, which are programs; and what it lists beside
the parts that draw (a safety checker, a feature extractor) need not be there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from lorakit.facts.models.model_configs import read_config
from lorakit.facts.models.model_files import check_weights, listing_of
from lorakit.facts.models.model_folders import CLASSES, header_of
from lorakit.facts.models.single_file_configs import configs_of, tokenizer_folder
from lorakit.facts.models.tokens import clip_vocabulary, read_merges


def from_folder(path: Path, family: str, dtype: torch.dtype, without: Sequence[str] = ()) -> Any:
    """A pipeline of a folder in diffusers' layout. Raises OSError, ValueError, LorakitError."""
    index = read_config(path, "model_index.json")
    large = family == "sdxl"
    parts = [part for part in CLASSES if large or not part.endswith("_2")]
    loaded = {
        part: None if part in without else _part(path, part, str(index[part][1]), dtype)
        for part in parts
    }
    loaded["scheduler"] = _scheduler(path)
    return _joined(loaded, large=large, zeros=index.get("force_zeros_for_empty_prompt"))


def from_file(path: Path, family: str, dtype: torch.dtype, without: Sequence[str] = ()) -> Any:
    """A pipeline of a checkpoint in one file, without a network. Raises OSError, ValueError, LorakitError."""
    from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline

    kind = StableDiffusionXLPipeline if family == "sdxl" else StableDiffusionPipeline
    options: dict[str, Any] = {} if family == "sdxl" else {"requires_safety_checker": False}
    with _configs(path) as folder:
        pipeline = kind.from_single_file(
            str(path), config=str(folder), local_files_only=True, dtype=dtype, **options
        )
    parts = {name: None if name in without else part for name, part in pipeline.components.items()}
    if parts["vae"] is not None:
        parts["vae"] = parts["vae"].to(_vae_dtype(dtype))
    zeros = pipeline.config.get("force_zeros_for_empty_prompt")
    return _joined(parts, large=family == "sdxl", zeros=zeros)


def _joined(parts: dict[str, Any], *, large: bool, zeros: bool | None) -> Any:
    from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline

    own = {name: part for name, part in parts.items() if name in (*CLASSES, "scheduler")}
    if large:
        return StableDiffusionXLPipeline(
            **own,
            force_zeros_for_empty_prompt=zeros is not False,
            add_watermarker=False,
        )
    # a board is the author's own words; a black frame would end up in the film
    return StableDiffusionPipeline(
        **own, safety_checker=None, feature_extractor=None, requires_safety_checker=False
    )


def _vae_dtype(dtype: torch.dtype) -> torch.dtype:
    # what an autoencoder computes on the way goes beyond fp16's largest number: black pictures
    return torch.float32 if dtype == torch.float16 else dtype


def _part(path: Path, part: str, kind: str, dtype: torch.dtype) -> Any:
    import diffusers
    import transformers

    if kind not in CLASSES[part]:
        raise ValueError(f"{part} is a {kind}")
    if part.startswith("tokenizer"):
        return transformers.CLIPTokenizer.from_pretrained(str(path / part), local_files_only=True)
    library = transformers if part.startswith("text_encoder") else diffusers
    return getattr(library, kind).from_pretrained(
        str(path / part),
        variant=check_weights(path, part, listing_of(path)).variant or None,
        use_safetensors=True,
        local_files_only=True,
        dtype=_vae_dtype(dtype) if part == "vae" else dtype,
    )


def _scheduler(path: Path) -> Any:
    import diffusers

    name = str(read_config(path, "scheduler/scheduler_config.json").get("_class_name"))
    kind: Any = getattr(diffusers, name, None)
    known = isinstance(kind, type) and issubclass(kind, diffusers.SchedulerMixin)
    if not known:
        raise ValueError(f"its scheduler is a {name}, which diffusers does not have")
    return kind.from_pretrained(str(path / "scheduler"), local_files_only=True)


@contextmanager
def _configs(path: Path) -> Iterator[Path]:
    """A folder with the configurations and tokenizers of a checkpoint, as diffusers reads them."""
    configs, _ = configs_of(header_of(path), path.stem)
    merges = tokenizer_folder() / "merges.txt"
    words = json.dumps(clip_vocabulary(read_merges(merges)))
    with TemporaryDirectory() as name:
        folder = Path(name)
        for file, config in configs.items():
            target = folder / file
            target.parent.mkdir(exist_ok=True)
            target.write_text(json.dumps(config), "utf-8")
            if target.parent.name.startswith("tokenizer"):
                (target.parent / "merges.txt").write_bytes(merges.read_bytes())
                (target.parent / "vocab.json").write_text(words, "utf-8")
        yield folder
