"""Video pipelines put together from the parts of a folder, each of a class that is known here."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from lorakit.facts.models.model_configs import read_config
from lorakit.facts.models.pipeline_files import INDEX
from lorakit.families.video_family import VideoFamily
from lorakit.families.videos import VIDEO_FAMILIES
from lorakit.models.loading import DTYPES, load_pipeline
from lorakit.models.opening import for_inference, opened
from lorakit.models.pipelines import part_from, parts_from, scheduler_from
from lorakit.plan.specs_beside import VideoSpec


def load_video_pipeline(spec: VideoSpec) -> Any:
    """The pipeline of a spec, ready for inference. Raises LorakitError where it cannot be loaded."""
    family = VIDEO_FAMILIES[spec.family]
    build = _adapting if family.moves else _from_folder
    pipeline = opened(Path(spec.path), spec.device, lambda: build(spec, family))
    return for_inference(pipeline, spec.device)


def _from_folder(spec: VideoSpec, family: VideoFamily) -> Any:
    import diffusers

    path, dtype = Path(spec.path), DTYPES[spec.precision]
    index = read_config(path, INDEX)
    exact = dict.fromkeys(family.exact, DTYPES["fp32"])
    loaded = {"scheduler": scheduler_from(path), **parts_from(path, family.parts, dtype, exact)}
    options = {name: index[name] for name in family.options if index.get(name) is not None}
    kind = getattr(diffusers, family.pipelines[spec.task])  # type: ignore[index]
    taken = inspect.signature(kind).parameters
    return kind(**{name: value for name, value in {**loaded, **options}.items() if name in taken})


def _adapting(spec: VideoSpec, family: VideoFamily) -> Any:
    """The model of a step whose UNet an adapter moves."""
    import diffusers

    base = load_pipeline(Path(spec.base), family.moves, spec.precision, spec.device, stock=True)
    adapter = part_from(Path(spec.path), family.parts[0], "MotionAdapter", DTYPES[spec.precision])
    kind = getattr(diffusers, family.pipelines["words"])
    return kind(
        vae=base.vae,
        text_encoder=base.text_encoder,
        tokenizer=base.tokenizer,
        unet=base.unet,
        motion_adapter=adapter,
        scheduler=base.scheduler,
    )
