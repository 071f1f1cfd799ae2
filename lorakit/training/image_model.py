"""Networks with what is trained in them, and what was trained taken out of them."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lorakit.cpu.attention import small_attention_in_math
from lorakit.cpu.heap import keep_freed_memory
from lorakit.facts.adapters import PEFT_SETTINGS, trained_file
from lorakit.facts.adapters.layers import NETWORKS
from lorakit.facts.models.model_configs import read_config
from lorakit.facts.models.model_files import source_of
from lorakit.facts.networks.text_encoders import TARGETS
from lorakit.families import FAMILIES, STEMS
from lorakit.models.adapter_formats import PEFT_CONFIG, Adapter, Layer, lora_layer
from lorakit.models.loading import load_pipeline
from lorakit.plan.engine_specs import Keeping
from lorakit.plan.tasks.training import LoraArguments, TrainImageTask
from lorakit.store import atomic
from lorakit.training import adapter_files, canonical
from lorakit.training.task import layers_meant, seeded

ADAPTER = "default"  # what PEFT calls the one that is trained
_BESIDE = ("safety_checker", "feature_extractor", "image_encoder")


def text_encoders(pipeline: Any, family: str) -> dict[str, Any]:
    """A pipeline's text encoders by name."""
    return {name: getattr(pipeline, name) for name in FAMILIES[family].text_parts}


def build(task: TrainImageTask, *, words: bool) -> Any:
    """A pipeline with what is trained, in fp32; the same weights for the same seed.

    What is frozen is in fp32 too, or as the task has it: a LoRA on rounded weights is QLoRA
    (Dettmers et al. 2023, https://arxiv.org/abs/2305.14314).

    With `words` it has text encoders; it never has a VAE, since pictures come as latents.
    """
    keep_freed_memory()  # a step's tensors are of the sizes of the step before
    family = task.family
    without = ["vae"]
    if not words:
        without += FAMILIES[family].encoders
    pipeline = load_pipeline(
        Path(task.model_path),
        family,
        task.frozen or "fp32",
        task.device,
        parts=task.model_parts,
        without=without,
        keeping=Keeping(task.weight_bits),
    )
    denoiser = FAMILIES[family].denoiser
    parts = {denoiser: getattr(pipeline, denoiser)}
    if words:
        for name in FAMILIES[family].encoders:
            text = getattr(pipeline, name)
            if text is not None:  # some may be left out of a model
                text.requires_grad_(requires_grad=False)
        parts |= text_encoders(pipeline, family) if task.train_text_encoder else {}
    seeded(task.seed, "adapter")
    for name, part in parts.items():
        if task.lora is None:
            part.requires_grad_(requires_grad=True)
        else:
            part.add_adapter(_config(task.lora, part, text=name != denoiser), ADAPTER)
            for parameter in part.parameters():
                if parameter.requires_grad:
                    parameter.data = parameter.data.float()
        if task.train.gradient_checkpointing:
            enable = getattr(part, "enable_gradient_checkpointing", None)
            (enable or part.gradient_checkpointing_enable)()
    if FAMILIES[family].waves:
        small_attention_in_math(pipeline.unet)
    return pipeline


def _config(lora: LoraArguments, part: Any, *, text: bool) -> Any:
    from peft import LoHaConfig, LoKrConfig, LoraConfig

    targets = list(TARGETS) if text else layers_meant(part, lora.target_modules)
    if lora.peft_type == "lora":
        return LoraConfig(
            r=lora.rank,
            lora_alpha=lora.alpha,
            lora_dropout=lora.dropout,
            target_modules=targets,
            use_rslora=lora.use_rslora,
            use_dora=lora.use_dora,
        )
    kind = LoHaConfig if lora.peft_type == "loha" else LoKrConfig
    return kind(
        r=lora.rank,
        alpha=lora.alpha,
        rank_dropout=lora.dropout,
        target_modules=targets,
    )


def save(networks: Any, task: TrainImageTask, out: Path, base: str) -> dict[str, str]:
    """Write an adapter, or a whole pipeline, once the networks are fp32; outputs by name."""
    if task.lora is None:
        return save_whole(networks, Path(task.model_path), out / "model", task.model_files)
    file = out / trained_file(task.lora.peft_type or "lora")
    return save_adapter(networks, task.lora, file, base)


def save_adapter(networks: Any, lora: LoraArguments, file: Path, base: str) -> dict[str, str]:
    """Write what was trained, the weights last; outputs by name. `base` is the version in kohya's words."""
    if lora.peft_type == "lora":
        adapter_files.write(adapter_of(networks), file, base=base)
        return {"adapter": str(file)}
    from peft.utils import get_peft_model_state_dict

    denoiser = networks.denoiser
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        state = get_peft_model_state_dict(denoiser, adapter_name=ADAPTER)
    settings = denoiser.peft_config[ADAPTER].to_dict()
    settings = {k: sorted(v) if isinstance(v, set) else v for k, v in settings.items()}
    settings |= {
        "peft_type": str(lora.peft_type).upper(),
        "task_type": None,
        "inference_mode": True,
    }
    settings["base_model_name_or_path"] = None
    tensors = {f"base_model.model.{name}": t.detach() for name, t in state.items()}
    # the store keeps files one by one: the settings travel inside as well
    header = {"format": "pt", PEFT_CONFIG: json.dumps(settings, sort_keys=True)}
    config = file.with_name(PEFT_SETTINGS)
    file.parent.mkdir(parents=True, exist_ok=True)
    atomic.write_json(config, settings)
    canonical.write(file, tensors, header)
    return {"adapter": str(file), "config": str(config)}


def adapter_of(networks: Any) -> Adapter:
    """A trained LoRA, in the form that all formats are written from."""
    return {
        name: layer for part, module in parts_of(networks) for name, layer in _layers(part, module)
    }


def parts_of(networks: Any) -> Iterator[tuple[str, Any]]:
    """The networks that are trained, by name."""
    for part in NETWORKS:
        if hasattr(networks, part):
            yield part, getattr(networks, part)


def named(part: str, name: str) -> str:
    """A layer as files name it: with text_model, as transformers had before its version 5."""
    whole = not part.startswith("text_encoder") or name.startswith("text_model.")
    return f"{part}.{name}" if whole else f"{part}.text_model.{name}"


def _layers(part: str, network: Any) -> Iterator[tuple[str, Layer]]:
    for name, module in network.named_modules():
        if not hasattr(module, "lora_A") or ADAPTER not in module.lora_A:
            continue
        down, up = module.lora_A[ADAPTER].weight, module.lora_B[ADAPTER].weight
        magnitude = None
        if getattr(module, "lora_magnitude_vector", None):
            magnitude = module.lora_magnitude_vector[ADAPTER].weight.detach().cpu().clone()
        yield (
            named(part, name),
            lora_layer(
                down.detach().cpu().clone(),
                up.detach().cpu().clone(),
                # rank-stabilised or not: what it acts with is in its scaling
                float(module.scaling[ADAPTER]) * down.shape[0],
                magnitude,
            ),
        )


def _index(base: Path) -> dict[str, Any]:
    """What a pipeline is made of, without the parts beside it that are not copied."""
    index = read_config(base, "model_index.json")
    absent = {name: [None, None] for name in _BESIDE if name in index}
    return {**index, **absent, **({"requires_safety_checker": False} if absent else {})}


def save_whole(networks: Any, base: Path, folder: Path, files: Sequence[str]) -> dict[str, str]:
    """Write a pipeline whose trained networks are new and whose other `files` are the base's."""
    trained = {}
    for part, module in parts_of(networks):
        trained[f"{part}/{STEMS[part]}.safetensors"] = module
    outputs = {}
    for name in files:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if name in trained:
            state = {
                k: v.detach().cpu().contiguous() for k, v in trained[name].state_dict().items()
            }
            canonical.write(target, state, {"format": "pt"})
        elif name == "model_index.json":
            atomic.write_json(target, _index(base))
        else:
            shutil.copyfile(base / source_of(base, name), target)
        outputs[f"model/{name}"] = str(target)
    return outputs
