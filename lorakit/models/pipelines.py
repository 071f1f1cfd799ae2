"""diffusers' pipelines put together from the parts of a folder, each of a class that is known here.

A folder names its classes itself, and may name some of its own, which are programs; and what it lists beside
the parts that draw (a safety checker, a feature extractor) need not be there.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from lorakit.facts.models.model_configs import read_config
from lorakit.facts.models.model_files import check_weights
from lorakit.facts.models.pipeline_files import INDEX, files_of
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
    index = read_config(path, INDEX)
    traits = FAMILIES[family]
    kept = {"vae": vae or vae_dtype(dtype)}
    loaded = parts_from(path, traits.parts, dtype, kept, without)
    loaded["scheduler"] = scheduler_from(path)
    return joined(loaded, traits, index)


def parts_from(
    path: Path,
    parts: Iterable[Part],
    dtype: torch.dtype,
    kept: Mapping[str, torch.dtype] | None = None,
    without: Sequence[str] = (),
) -> dict[str, Any]:
    """The parts of a folder by their names, of the classes that it names; None for those that it has not.

    Those in `kept` have a dtype of their own. Raises OSError, ValueError, LorakitError.
    """
    index = read_config(path, INDEX)
    loaded: dict[str, Any] = {}
    for part in parts:
        told = index.get(part.name) or (None, None)
        missing = part.name in without or (part.optional and told[1] is None)
        own = (kept or {}).get(part.name, dtype)
        loaded[part.name] = None if missing else part_from(path, part, str(told[1]), own)
    return loaded


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
    """A part of a folder, or the folder itself for an empty name, of the class `kind`.

    Raises OSError, ValueError, LorakitError.
    """
    import diffusers
    import transformers

    if kind not in part.classes:
        raise ValueError(f"{part.name or path.name} is a {kind}")
    library = transformers if part.library == "transformers" else diffusers
    folder = path / part.name
    if not part.stem:
        # of the classes that are known the first is what the others are now called
        loader = getattr(library, part.classes[0])
        return loader.from_pretrained(str(folder), local_files_only=True)
    weights = check_weights(path, part.name, files_of(path, part.name), part.stem)
    return getattr(library, kind).from_pretrained(
        str(folder),
        variant=weights.variant or None,
        use_safetensors=True,
        local_files_only=True,
        dtype=dtype,
    )


def scheduler_from(path: Path, part: str = "scheduler") -> Any:
    """The scheduler of a folder, of a class of diffusers. Raises OSError, ValueError."""
    import diffusers

    name = str(read_config(path, f"{part}/scheduler_config.json").get("_class_name"))
    kind: Any = getattr(diffusers, name, None)
    known = isinstance(kind, type) and issubclass(kind, diffusers.SchedulerMixin)
    if not known:
        raise ValueError(f"its scheduler is a {name}, which diffusers does not have")
    return kind.from_pretrained(str(path / part), local_files_only=True)
