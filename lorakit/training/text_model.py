"""Text classifiers: built, saved in PEFT's or transformers' own format, loaded by their public loaders."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from lorakit.diagnostics import LorakitError
from lorakit.facts.adapters import PEFT_FILE, PEFT_SETTINGS
from lorakit.facts.adapters.pieces import header_of
from lorakit.facts.texts.text_models import MINILM_SHA256
from lorakit.models.adapter_formats import opened
from lorakit.plan.tasks.training import LoraArguments, TrainTextTask
from lorakit.store import atomic
from lorakit.store.canonical import file_digest
from lorakit.training import canonical
from lorakit.training.task import layers_meant, seeded


def base_model(path: Path, labels: Sequence[str], source: str = "") -> Any:
    """A classifier with a new head over pretrained weights, in fp32. Raises LorakitError, OSError."""
    from transformers import AutoModelForSequenceClassification

    if source == "lorakit:minilm" and file_digest(path / "model.safetensors") != MINILM_SHA256:
        raise LorakitError(f"{path}/model.safetensors is not the file that lorakit:minilm is")
    return AutoModelForSequenceClassification.from_pretrained(
        path,
        num_labels=len(labels),
        id2label=dict(enumerate(labels)),
        label2id={label: number for number, label in enumerate(labels)},
        use_safetensors=True,
        trust_remote_code=False,
        local_files_only=True,
        dtype=torch.float32,
    )


def heads_of(model: Any) -> list[str]:
    """The modules of the head: those with weights that stand beside the pretrained model."""
    return [
        name
        for name, child in model.named_children()
        if name != model.base_model_prefix and any(True for _ in child.parameters())
    ]


def build(task: TrainTextTask) -> Any:
    """What is trained; the same weights for the same seed, wherever and whenever it is built."""
    seeded(task.seed, "model")
    model = base_model(Path(task.model_path), task.labels, task.source)
    built = model if task.lora is None else _adapted(model, task.lora, task.seed)
    if task.train.gradient_checkpointing:
        # the name in newer transformers
        newer = getattr(model, "activation_checkpointing_enable", None)
        (newer or model.gradient_checkpointing_enable)({"use_reentrant": False})
        # what only reentrant checkpoints need: gradients on beneath the lowest adapter, to the embeddings
        model.disable_input_require_grads()
    return built


def _adapted(model: Any, lora: LoraArguments, seed: int) -> Any:
    from peft import LoraConfig, TaskType, get_peft_model

    config = LoraConfig(
        task_type=TaskType.SEQ_CLS,
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=layers_meant(model, lora.target_modules, heads_of(model)) or None,
        use_rslora=lora.use_rslora,
        use_dora=lora.use_dora,
        modules_to_save=[*heads_of(model), *lora.modules_to_save],
    )
    seeded(seed, "adapter")
    return get_peft_model(model, config)


def start_from(model: Any, file: Path) -> None:
    """Have the adapter and the head begin as those of a file. Raises LorakitError for another shape."""
    from peft import get_peft_model_state_dict, set_peft_model_state_dict

    header = header_of(file)
    with opened(file, header) as tensor:
        tensors = {name: tensor(name) for name in header.tensors}
    own = get_peft_model_state_dict(model, save_embedding_layers=False)
    theirs = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    ours = {name: tuple(tensor.shape) for name, tensor in own.items()}
    other = sorted(name for name in {*theirs, *ours} if theirs.get(name) != ours.get(name))
    if other:
        raise LorakitError(
            f"{other[0]} is {theirs.get(other[0], 'missing')} in what is gone on from, "
            f"and {ours.get(other[0], 'missing')} here"
        )
    set_peft_model_state_dict(model, tensors)


def save(model: Any, tokenizer: Any, folder: Path, source: str, *, full: bool) -> dict[str, str]:
    """Write weights, configuration and tokenizer; returns the action's outputs.

    `source` is what the recipe calls the base model. Equal weights make equal bytes.
    Raises LorakitError where a head would be lost.
    """
    tokenizer.save_pretrained(folder)
    outputs = {
        "tokenizer": str(folder / "tokenizer.json"),
        "tokenizer_config": str(folder / "tokenizer_config.json"),
    }
    if full:
        config = dict(model.config.to_dict())
        for gone in ("_name_or_path", "name_or_path"):
            config.pop(gone, None)
        _write_json(folder / "config.json", config)
        canonical.write(folder / "model.safetensors", model.state_dict(), {"format": "pt"})
        return {
            **outputs,
            "model": str(folder / "model.safetensors"),
            "config": str(folder / "config.json"),
        }
    return {**outputs, **save_adapter(model, folder, source)}


def save_adapter(model: Any, folder: Path, source: str) -> dict[str, str]:
    """Write an adapter as PEFT does, the weights last; `source` is what the recipe calls the base model.

    Raises LorakitError where a head would be lost.
    """
    from peft import get_peft_model_state_dict

    settings = model.peft_config["default"]
    tensors = get_peft_model_state_dict(model, save_embedding_layers=False)
    lost = missing_heads(tensors, heads_of(model.get_base_model()))
    if lost:
        raise LorakitError(f"the adapter would be saved without its head: {', '.join(lost)}")
    # PEFT knows the base model by its folder, which means nothing on another machine
    config = {**settings.to_dict(), "inference_mode": True, "base_model_name_or_path": source}
    folder.mkdir(parents=True, exist_ok=True)
    _write_json(folder / PEFT_SETTINGS, config)
    canonical.write(folder / PEFT_FILE, tensors, {"format": "pt"})
    return {"adapter": str(folder / PEFT_FILE), "config": str(folder / PEFT_SETTINGS)}


def missing_heads(tensors: Mapping[str, Any], heads: Sequence[str]) -> list[str]:
    """The heads of which an adapter's tensors have nothing."""
    return [
        head
        for head in heads
        if not any(name.startswith(f"base_model.model.{head}.") for name in tensors)
    ]


def load(folder: Path, base: Path, labels: Sequence[str], *, full: bool) -> Any:
    """What was saved, as anybody else would load it."""
    if full:
        return base_model(folder, labels).eval()
    from peft import PeftModel

    return PeftModel.from_pretrained(base_model(base, labels), folder).eval()


def _write_json(path: Path, data: Mapping[str, Any]) -> None:
    atomic.write_json(path, json.loads(json.dumps(data, sort_keys=True, default=_plain)))


def _plain(value: object) -> object:
    return sorted(value) if isinstance(value, set | frozenset) else str(value)
