"""diffusers' pipelines put together from their parts, each of a class that is known here.

A folder names its classes itself, and may name some of its own, which are programs; and what it lists beside
the parts that draw (a safety checker, a feature extractor) need not be there.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from lorakit.facts.models.model_configs import read_config
from lorakit.facts.models.model_files import check_weights, listing_of
from lorakit.facts.models.model_folders import header_of
from lorakit.facts.models.single_file_configs import configs_of, tokenizer_folder
from lorakit.facts.models.tokens import clip_vocabulary, read_merges
from lorakit.families import FAMILIES, Family, Part, Task


def from_folder(path: Path, family: str, dtype: torch.dtype, without: Sequence[str] = ()) -> Any:
    """A pipeline of a folder in diffusers' layout. Raises OSError, ValueError, LorakitError."""
    index = read_config(path, "model_index.json")
    traits = FAMILIES[family]
    loaded: dict[str, Any] = {}
    for part in traits.parts:
        told = index.get(part.name) or (None, None)
        missing = part.name in without or (part.optional and told[1] is None)
        loaded[part.name] = None if missing else _part(path, part, str(told[1]), dtype)
    loaded["scheduler"] = _scheduler(path)
    return _joined(loaded, traits, index)


def from_file(path: Path, family: str, dtype: torch.dtype, without: Sequence[str] = ()) -> Any:
    """A pipeline of a checkpoint in one file, without a network. Raises OSError, ValueError, LorakitError."""
    traits = FAMILIES[family]
    with _configs(path) as (folder, index):
        options = traits.options(index)
        pipeline = _class_of(traits).from_single_file(
            str(path),
            config=str(folder),
            local_files_only=True,
            dtype=dtype,
            **{k: v for k, v in options.items() if k.startswith("requires_")},
        )
    parts = {name: None if name in without else part for name, part in pipeline.components.items()}
    if parts["vae"] is not None:
        parts["vae"] = parts["vae"].to(_vae_dtype(dtype))
    return _joined(parts, traits, pipeline.config)


def for_task(pipeline: Any, family: Family, task: Task) -> Any:
    """The pipeline of a family for a task, on the components of another."""
    import diffusers

    kind = getattr(diffusers, family.pipelines.get(task, family.classes[0]))
    if isinstance(pipeline, kind):
        return pipeline
    # from_pipe would cast all of it to fp32
    taken = inspect.signature(kind).parameters
    given = {**pipeline.components, **family.options(pipeline.config)}
    made = kind(**{name: value for name, value in given.items() if name in taken})
    made.set_progress_bar_config(disable=True)
    processor = getattr(made, "image_processor", None)
    channels = getattr(pipeline.vae.config, "latent_channels", None)
    if processor is not None and channels:
        # some of them would take latents for a picture
        processor.register_to_config(vae_latent_channels=channels)
    return made


def _class_of(family: Family) -> Any:
    import diffusers

    return getattr(diffusers, family.classes[0])


def _joined(parts: dict[str, Any], family: Family, index: Mapping[str, Any]) -> Any:
    names = {*(part.name for part in family.parts), "scheduler"}
    own = {name: part for name, part in parts.items() if name in names}
    return _class_of(family)(**own, **family.options(index))


def _vae_dtype(dtype: torch.dtype) -> torch.dtype:
    # what an autoencoder computes on the way goes beyond fp16's largest number: black pictures
    return torch.float32 if dtype == torch.float16 else dtype


def _part(path: Path, part: Part, kind: str, dtype: torch.dtype) -> Any:
    import diffusers
    import transformers

    if kind not in part.classes:
        raise ValueError(f"{part.name} is a {kind}")
    library = transformers if part.library == "transformers" else diffusers
    if not part.stem:
        # of the classes that are known the first is what the others are now called
        loader = getattr(library, part.classes[0])
        return loader.from_pretrained(str(path / part.name), local_files_only=True)
    return getattr(library, kind).from_pretrained(
        str(path / part.name),
        variant=check_weights(path, part.name, listing_of(path)).variant or None,
        use_safetensors=True,
        local_files_only=True,
        dtype=_vae_dtype(dtype) if part.name == "vae" else dtype,
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
def _configs(path: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """A folder with a checkpoint's configurations and tokenizers, as diffusers reads them, and its index."""
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
        yield folder, configs["model_index.json"]
