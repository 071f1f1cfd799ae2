"""What a plan counts of a text model, held against the model that transformers and PEFT make."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from torch import nn
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
)

from lorakit.diagnostics import Place
from lorakit.facts.files.digests import Unread
from lorakit.facts.networks.layer_targets import hit
from lorakit.facts.texts.text_layers import counts, head_names, layer_sizes, module_names
from lorakit.facts.texts.text_models import TextModelFacts, text_model_facts
from lorakit.language.recipe.documents import ModelSource
from lorakit.language.recipe.trainings import LoraSettings
from lorakit.training import task, text_model

SMALL = {"hidden_size": 24, "intermediate_size": 40, "num_hidden_layers": 2, "num_attention_heads": 2,
         "vocab_size": 99, "max_position_embeddings": 66}  # fmt: skip
FAMILIES: dict[str, dict[str, object]] = {
    "albert": {"embedding_size": 12},
    "bert": {},
    "camembert": {},
    "deberta": {"relative_attention": True, "pos_att_type": ["c2p", "p2c"]},
    "deberta-v2": {"relative_attention": True, "pos_att_type": ["c2p", "p2c"], "conv_kernel_size": 3},
    "distilbert": {"dim": 24, "hidden_dim": 40, "n_layers": 2, "n_heads": 2},
    "electra": {"embedding_size": 12},
    "ernie": {},
    "modernbert": {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "cls_token_id": 1,
                   "sep_token_id": 2},
    "mpnet": {},
    "roberta": {},
    "xlm-roberta": {},
}  # fmt: skip


def config_of(family: str) -> Any:
    more = FAMILIES[family]
    small = {} if family == "distilbert" else SMALL
    return AutoConfig.for_model(family, **{**small, "vocab_size": 99, **more}, num_labels=3)


def made(family: str, kind: Any = AutoModelForSequenceClassification) -> Any:
    with torch.device("meta"):
        return kind.from_config(config_of(family))


def facts_of(family: str, kind: Any) -> TextModelFacts:
    """What a plan knows of weights that were saved as this kind of model; None is a configuration alone."""
    weights = (
        {}
        if kind is None
        else {
            n: tuple(p.shape)
            for n, p in made(family, kind).named_parameters(remove_duplicate=False)
        }
    )
    return TextModelFacts("m", "m", None, None, config_of(family).to_dict(), weights)


def adapted(model: Any, facts: TextModelFacts, lora: LoraSettings) -> Any:
    targets = lora.target_modules or facts.targets
    return get_peft_model(
        model,
        LoraConfig(
            task_type="SEQ_CLS", r=lora.rank, use_dora=lora.use_dora,
            target_modules=targets if isinstance(targets, str) else list(targets),
            modules_to_save=[*head_names(facts), *lora.modules_to_save],
        ),
        low_cpu_mem_usage=True,
    )  # fmt: skip


def held_against(facts: TextModelFacts, model: Any, lora: LoraSettings | None) -> None:
    counted = counts(facts, 3, lora)
    assert counted is not None
    if lora is not None:
        model = adapted(model, facts, lora)
    assert counted.total == task.size(model)
    assert counted.trainable == sum(p.numel() for p in model.parameters() if p.requires_grad)


@pytest.mark.parametrize(
    ("family", "kind"), [("bert", None), ("distilbert", None), ("bert", AutoModel)]
)
@pytest.mark.parametrize(
    "lora",
    [
        None,
        {},
        {"use_dora": True, "rank": 3},
        {"target_modules": r".*(query|q_lin)"},
        {"target_modules": ("word_embeddings",), "use_dora": True},
        {"modules_to_save": ("layer.1",)},
        {"modules_to_save": ("pooler", "pre_classifier")},
    ],
    ids=str,
)
def test_the_plan_counts_what_is_trained(
    family: str, lora: dict[str, Any] | None, kind: Any
) -> None:
    settings = LoraSettings(**lora) if lora is not None else None
    held_against(facts_of(family, kind), made(family), settings)


@pytest.mark.parametrize("name", ["pooler.dense", "ffn.lin1", "bert.embeddings"])
def test_what_is_trained_whole_is_counted_by_the_ends_of_names(name: str) -> None:
    family = "distilbert" if name == "ffn.lin1" else "bert"
    held_against(facts_of(family, None), made(family), LoraSettings(modules_to_save=(name,)))


@pytest.mark.parametrize(
    ("kind", "lora"),
    [(AutoModel, LoraSettings(rank=3, use_dora=True)), (AutoModelForMaskedLM, None)],
    ids=["base", "with another head"],
)
@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_any_family_is_counted_from_its_weights(
    family: str, kind: Any, lora: LoraSettings | None
) -> None:
    held_against(facts_of(family, kind), made(family), lora)


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_layers_are_called_as_the_model_calls_them(family: str) -> None:
    facts, model = facts_of(family, AutoModel), made(family)
    linear = {name for name, module in model.named_modules() if isinstance(module, nn.Linear)}
    heads = {name for name in linear if name.startswith(head_names(facts))}
    assert linear - heads <= set(layer_sizes(facts))
    assert set(head_names(facts)) == set(text_model.heads_of(model))
    assert set(module_names(facts)) <= {name for name, _ in model.named_modules()}
    assert all(any(hit(name, [one]) for name in layer_sizes(facts)) for one in facts.targets)


def test_weights_are_read_without_what_is_counted_by_itself(tmp_path: Path) -> None:
    config_of("roberta").save_pretrained(tmp_path)
    tensors = {
        "roberta.embeddings.position_ids": torch.arange(66)[None],
        "roberta.embeddings.word_embeddings.weight": torch.zeros(99, 24, dtype=torch.bfloat16),
    }
    save_file(tensors, tmp_path / "model.safetensors")
    source = ModelSource("m", str(tmp_path), "auto", Place("", 0, 0))
    facts = text_model_facts(source, Unread())
    assert facts.weights == {"roberta.embeddings.word_embeddings.weight": (99, 24)}
    assert facts.longest == 64  # of 66 places the padding's and the one before are never a word's


@pytest.mark.parametrize("family", ["roberta", "mpnet", "bert"])
def test_a_text_of_the_length_that_is_told_can_be_read(family: str) -> None:
    longest = facts_of(family, AutoModel).longest
    model = AutoModelForSequenceClassification.from_config(config_of(family)).eval()
    with torch.no_grad():
        model(input_ids=torch.full((1, longest), 7))
        with pytest.raises((IndexError, RuntimeError)):
            model(input_ids=torch.full((1, longest + 1), 7))
