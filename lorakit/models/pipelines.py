"""diffusers' pipelines put together from the parts of a folder, each of a class that is known here.

A folder names its classes itself, and may name some of its own, which are programs; and what it lists beside
the parts that draw (a safety checker, a feature extractor) need not be there.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from lorakit.facts.models.model_configs import read_config
from lorakit.facts.models.model_files import check_weights, listing_of
from lorakit.families import FAMILIES, Family, Part, Task


def from_folder(
    path: Path,
    family: str,
    dtype: torch.dtype,
    without: Sequence[str] = (),
    vae: torch.dtype | None = None,
) -> Any:
    """A pipeline of a folder in diffusers' layout, its autoencoder in `vae` where that is given.

    Raises OSError, ValueError, LorakitError.
    """
    index = read_config(path, "model_index.json")
    traits = FAMILIES[family]
    loaded: dict[str, Any] = {}
    for part in traits.parts:
        told = index.get(part.name) or (None, None)
        missing = part.name in without or (part.optional and told[1] is None)
        kept = (vae or vae_dtype(dtype)) if part.name == "vae" else dtype
        loaded[part.name] = None if missing else part_from(path, part, str(told[1]), kept)
    loaded["scheduler"] = _scheduler(path)
    return joined(loaded, traits, index)


def for_task(pipeline: Any, family: Family, task: Task, **more: Any) -> Any:
    """The pipeline of a family for a task, on the components of another and `more` of them."""
    import diffusers

    kind = getattr(diffusers, family.pipelines.get(task, family.classes[0]))
    if isinstance(pipeline, kind):
        return pipeline
    # from_pipe would cast all of it to fp32
    taken = inspect.signature(kind).parameters
    given = {**pipeline.components, **family.options(pipeline.config), **more}
    made = kind(**{name: value for name, value in given.items() if name in taken})
    made.set_progress_bar_config(disable=True)
    processor = getattr(made, "image_processor", None)
    channels = getattr(pipeline.vae.config, "latent_channels", None)
    if processor is not None and channels:
        # some of them would take latents for a picture
        processor.register_to_config(vae_latent_channels=channels)
    return made


def class_of(family: Family) -> Any:
    """The pipeline of a family that draws from words."""
    import diffusers

    return getattr(diffusers, family.classes[0])


def joined(parts: dict[str, Any], family: Family, index: Mapping[str, Any]) -> Any:
    """A pipeline of its parts; `index` is what its model_index.json says."""
    names = {*(part.name for part in family.parts), "scheduler"}
    own = {name: part for name, part in parts.items() if name in names}
    return class_of(family)(**own, **family.options(index))


def vae_dtype(dtype: torch.dtype) -> torch.dtype:
    """What an autoencoder is kept in."""
    # what an autoencoder computes on the way goes beyond fp16's largest number: black pictures
    return torch.float32 if dtype == torch.float16 else dtype


def part_from(path: Path, part: Part, kind: str, dtype: torch.dtype) -> Any:
    """A part of a folder, of the class `kind`. Raises OSError, ValueError."""
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
        dtype=dtype,
    )


def _scheduler(path: Path) -> Any:
    import diffusers

    name = str(read_config(path, "scheduler/scheduler_config.json").get("_class_name"))
    kind: Any = getattr(diffusers, name, None)
    known = isinstance(kind, type) and issubclass(kind, diffusers.SchedulerMixin)
    if not known:
        raise ValueError(f"its scheduler is a {name}, which diffusers does not have")
    return kind.from_pretrained(str(path / "scheduler"), local_files_only=True)
