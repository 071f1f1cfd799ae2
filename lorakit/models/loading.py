"""A diffusers pipeline from a folder or one file, in one precision, on one device, wearing adapters."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from lorakit.facts.machine.devices import DEVICES
from lorakit.families import FAMILIES
from lorakit.models import pipelines, single_files
from lorakit.models.autoencoder_dtype import take_any_dtype
from lorakit.models.opening import opened
from lorakit.models.placing import place
from lorakit.models.quickening import quicken
from lorakit.models.rounding import round_weights, rounded
from lorakit.models.wearing import wear
from lorakit.plan.engine_specs import AS_IT_IS, DrawingSpec, Keeping

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def drawing_pipeline(spec: DrawingSpec, *, stock: bool = False) -> Any:
    """The pipeline that an engine is told to draw with, as a call by hand has it where it is `stock`.

    Adapters that may be changed are left to a `Dressing`. Raises LorakitError.
    """
    return load_pipeline(
        Path(spec.path),
        spec.family,
        spec.precision,
        spec.device,
        () if spec.changes else spec.adapter_files,
        parts=spec.parts,
        keeping=spec.keeping,
        stock=stock,
    )


def load_pipeline(
    path: Path,
    family: str,
    precision: str,
    device: str,
    adapters: Sequence[tuple[Path, float]] = (),
    *,
    parts: str = "",
    without: Sequence[str] = (),
    keeping: Keeping = AS_IT_IS,
    stock: bool = False,
    vae: str = "",
) -> Any:
    """A pipeline of the family that draws from words, ready for inference.

    `parts` is the folder that a checkpoint in one file takes what it lacks from. `without` names parts that
    are not needed, such as `vae`, and are not loaded from a folder; `keeping` says how
    the pipeline is kept in memory, `vae` a precision of the autoencoder's own.
    Raises LorakitError where weights are missing or an adapter does not fit.
    """
    dtype, own = DTYPES[precision], DTYPES[vae] if vae else None

    def build() -> Any:
        if path.is_file():
            folder = Path(parts) if parts else None
            return single_files.from_file(path, family, dtype, without, folder, own)
        return pipelines.from_folder(path, family, dtype, without, own)

    pipeline = opened(path, device, build)
    if adapters:
        wear(pipeline, adapters)
    traits = FAMILIES[family]
    if keeping.weight_bits:
        for part in rounded(traits, pipeline):
            round_weights(part, keeping.weight_bits, device)
    place(pipeline, traits, device, keeping.offload)
    for part in (getattr(pipeline, traits.denoiser), pipeline.vae):
        if part is None:
            continue
        part.eval().requires_grad_(requires_grad=False)
        if stock or not traits.waves:
            continue  # stock, as a call by hand has it
        # the UNet's group norms take up to 25 times as long in channels_last on a CPU; its
        # convolutions gain next to nothing from it at these sizes, the decoder's a third
        if DEVICES[device].unet_channels_last or part is pipeline.vae:
            part.to(memory_format=torch.channels_last)
    if pipeline.vae is not None and not traits.waves:  # whose engine casts itself
        take_any_dtype(pipeline.vae)
    denoiser = getattr(pipeline, traits.denoiser)
    if denoiser is not None:  # as where pictures are encoded alone
        quicken(denoiser, keeping)
    return pipeline
