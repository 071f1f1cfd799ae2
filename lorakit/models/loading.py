"""A diffusers pipeline from a folder or one file, in one precision, on one device, wearing adapters."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from lorakit.diagnostics import LorakitError

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def load_pipeline(
    path: Path,
    family: str,
    precision: str,
    device: str,
    adapters: Sequence[tuple[Path, float]] = (),
) -> Any:
    """A `StableDiffusionPipeline` or `StableDiffusionXLPipeline`, ready for inference.

    Raises LorakitError where weights are missing or an adapter does not fit.
    """
    from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline
    from diffusers.utils import logging

    logging.disable_progress_bar()
    kind = StableDiffusionXLPipeline if family == "sdxl" else StableDiffusionPipeline
    dtype = DTYPES[precision]
    options: dict[str, Any] = {"dtype": dtype}
    if family == "sd":
        # a board is the author's own words; a black frame would end up in the film
        options |= {"safety_checker": None, "requires_safety_checker": False}
    try:
        if path.is_file():
            pipeline = kind.from_single_file(str(path), **options)
        else:
            pipeline = kind.from_pretrained(
                str(path), use_safetensors=True, local_files_only=True, **options
            )
    except (OSError, ValueError) as error:
        raise LorakitError(f"the model in {path} cannot be loaded: {error}") from error
    pipeline.set_progress_bar_config(disable=True)
    _wear(pipeline, adapters)
    pipeline.to(device)
    for part in (pipeline.unet, pipeline.vae):
        part.eval().requires_grad_(requires_grad=False)
        # the UNet's group norms take up to 25 times as long in channels_last on a CPU; its
        # convolutions gain next to nothing from it at these sizes, the decoder's a third
        if device != "cpu" or part is pipeline.vae:
            part.to(memory_format=torch.channels_last)
    return pipeline


def _wear(pipeline: Any, adapters: Sequence[tuple[Path, float]]) -> None:
    names = []
    for number, (file, _) in enumerate(adapters):
        name = f"adapter_{number}"
        try:
            with warnings.catch_warnings(), TemporaryDirectory() as folder:
                warnings.simplefilter("ignore")
                # the store's objects have no ending, and diffusers goes by it
                plain = Path(folder) / "adapter.safetensors"
                shutil.copyfile(file, plain)
                pipeline.load_lora_weights(
                    folder, weight_name=plain.name, adapter_name=name, use_safetensors=True
                )
        except (OSError, ValueError, RuntimeError, KeyError) as error:
            raise LorakitError(f"the adapter {file} does not fit this model: {error}") from error
        names.append(name)
    if names:
        pipeline.set_adapters(names, adapter_weights=[weight for _, weight in adapters])
        # merged into the weights: the forward pass costs what it costs without adapters
        pipeline.fuse_lora(adapter_names=names)
