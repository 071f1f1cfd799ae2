"""Pipelines that make pictures larger, put together from the parts of a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lorakit.families.upscalers import UPSCALERS
from lorakit.models.loading import DTYPES
from lorakit.models.opening import for_inference, opened
from lorakit.models.pipelines import parts_from, scheduler_from
from lorakit.plan.specs_beside import UpscaleSpec


def load_upscale_pipeline(spec: UpscaleSpec) -> Any:
    """The pipeline of a spec, ready for inference. Raises LorakitError where it cannot be loaded."""
    path, known = Path(spec.path), UPSCALERS[spec.kind]

    def build() -> Any:
        import diffusers

        schedulers = {name: scheduler_from(path, name) for name in known.schedulers}
        parts = parts_from(path, known.parts, DTYPES[spec.precision])
        return getattr(diffusers, spec.kind)(**schedulers, **parts)

    return for_inference(opened(path, spec.device, build), spec.device)
