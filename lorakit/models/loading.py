"""A diffusers pipeline from a folder or one file, in one precision, on one device, wearing adapters."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from lorakit.diagnostics import LorakitError
from lorakit.models import adapter_formats, pipelines

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def load_pipeline(
    path: Path,
    family: str,
    precision: str,
    device: str,
    adapters: Sequence[tuple[Path, float]] = (),
    *,
    without: Sequence[str] = (),
) -> Any:
    """A `StableDiffusionPipeline` or `StableDiffusionXLPipeline`, ready for inference.

    `without` names parts that are not needed, such as `vae`, and are not loaded from a folder.
    Raises LorakitError where weights are missing or an adapter does not fit.
    """
    from diffusers.utils import logging

    logging.disable_progress_bar()
    try:
        load = pipelines.from_file if path.is_file() else pipelines.from_folder
        pipeline = load(path, family, DTYPES[precision], without)
    except (OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
        raise LorakitError(f"the model in {path} cannot be loaded: {error}") from error
    pipeline.set_progress_bar_config(disable=True)
    _wear(pipeline, adapters)
    pipeline.to(device)
    for part in (pipeline.unet, pipeline.vae):
        if part is None:
            continue
        part.eval().requires_grad_(requires_grad=False)
        # the UNet's group norms take up to 25 times as long in channels_last on a CPU; its
        # convolutions gain next to nothing from it at these sizes, the decoder's a third
        if device != "cpu" or part is pipeline.vae:
            part.to(memory_format=torch.channels_last)
    return pipeline


def _wear(pipeline: Any, adapters: Sequence[tuple[Path, float]]) -> None:
    names = []
    for number, (file, weight) in enumerate(adapters):
        name = f"adapter_{number}"
        try:
            with warnings.catch_warnings(), TemporaryDirectory() as folder:
                warnings.simplefilter("ignore")
                # the store's objects have no ending, and diffusers goes by it
                plain = Path(folder) / "adapter.safetensors"
                header = adapter_formats.header_of(file)
                if header[""].startswith("base_model.model."):
                    settings = adapter_formats.peft_settings(file, header)
                    if settings.get("peft_type", "LORA") != "LORA":
                        _merge_lycoris(pipeline, file, settings, weight)
                        continue
                    tensors, told = adapter_formats.to_diffusers(adapter_formats.read(file))
                    save_file({k: v.contiguous() for k, v in tensors.items()}, plain, told)
                else:
                    shutil.copyfile(file, plain)
                pipeline.load_lora_weights(
                    folder, weight_name=plain.name, adapter_name=name, use_safetensors=True
                )
        except (OSError, ValueError, RuntimeError, KeyError) as error:
            raise LorakitError(f"the adapter {file} does not fit this model: {error}") from error
        names.append((name, weight))
    if names:
        pipeline.set_adapters([n for n, _ in names], adapter_weights=[w for _, w in names])
        # merged into the weights: the forward pass costs what it costs without adapters
        pipeline.fuse_lora(adapter_names=[n for n, _ in names])


def _merge_lycoris(pipeline: Any, file: Path, settings: Mapping[str, Any], weight: float) -> None:
    """Add a LoHa or LoKr to the UNet's weights, as strongly as `weight` says."""
    from peft import LoHaConfig, LoKrConfig, PeftModel, set_peft_model_state_dict
    from peft.tuners.lycoris_utils import LycorisLayer

    kinds = {"LOHA": LoHaConfig, "LOKR": LoKrConfig}
    kind = kinds.get(str(settings["peft_type"]))
    if kind is None:
        raise ValueError(f"a {settings['peft_type']} is not drawn with here")
    known = {k: v for k, v in settings.items() if k in kind.__dataclass_fields__}
    model = PeftModel(pipeline.unet, kind(**{**known, "inference_mode": True}))
    result = set_peft_model_state_dict(model, load_file(file))
    if result.unexpected_keys:
        raise ValueError(f"it has no layer {result.unexpected_keys[0]}")
    for module in model.modules():
        if isinstance(module, LycorisLayer):
            module.set_scale("default", weight)
    pipeline.unet = model.merge_and_unload()
