"""Frozen weights in low precision: the same losses and gradients, and fp32 again at the end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoHaConfig, LoKrConfig, LoraConfig, inject_adapter_in_model
from torch import nn

from lorakit.cpu.frozen_weights import FrozenWeights
from lorakit.training import text_model
from tests.support.actions import LORA, TEXTS, TRAIN
from tests.support.tiny_text import save_bert


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_bert(tmp_path_factory.mktemp("bert"))


def built(bert: Path, *, checkpointing: bool = False, **lora: object) -> Any:
    given = {"target_modules": r".*layer\.1\..*dense", **lora}
    task = replace(
        TEXTS,
        lora=replace(LORA, rank=4, alpha=9.0, **given),
        train=replace(TRAIN, gradient_checkpointing=checkpointing),
        model_path=str(bert),
        labels=("no", "yes"),
    )
    model = text_model.build(task)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():  # an adapter at its beginning adds nothing
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.3)
    return model


def step(model: nn.Module) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """The loss, and the gradients by name."""
    torch.manual_seed(1)
    ids = torch.tensor([[2, 5, 6, 7, 3], [2, 8, 9, 4, 3]])
    with torch.autocast("cpu", torch.bfloat16):
        loss = model.train()(input_ids=ids, labels=torch.tensor([0, 1])).loss
    loss.backward()
    return loss.detach(), {n: p.grad for n, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize(
    "lora",
    [{}, {"dropout": 0.1}, {"modules_to_save": ["pooler"]}, {"use_dora": True}],
    ids=str,
)
def test_losses_and_gradients_are_the_same_to_the_bit(
    bert: Path, lora: dict[str, object], checkpointing: bool
) -> None:
    loss, gradients = step(built(bert, checkpointing=checkpointing, **lora))
    model = built(bert, checkpointing=checkpointing, **lora)
    FrozenWeights(model, "bf16")
    low, of_low = step(model)
    assert torch.equal(low, loss)
    assert gradients.keys() == of_low.keys()
    assert all(torch.equal(gradients[name], of_low[name]) for name in gradients)


@pytest.mark.parametrize("kind", [LoraConfig, LoHaConfig, LoKrConfig])
def test_adapters_on_convolutions_of_every_kind_stay_the_same_to_the_bit(kind: Any) -> None:
    results = []
    for precision in ("fp32", "bf16"):
        torch.manual_seed(5)
        model = nn.Sequential(
            nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 1), nn.Flatten(2), nn.Linear(16, 4)
        )
        model.requires_grad_(requires_grad=False)
        model = inject_adapter_in_model(kind(r=2, target_modules=["1", "3"]), model)
        for parameter in model.parameters():
            if parameter.requires_grad:
                nn.init.normal_(parameter, std=0.3)
        frozen = FrozenWeights(model, precision)
        assert model[0].weight.dtype == (torch.float32 if precision == "fp32" else torch.bfloat16)
        with torch.autocast("cpu", torch.bfloat16):
            loss = model(torch.randn(2, 3, 6, 6)).float().square().mean()
        loss.backward()
        gradients = {n: p.grad for n, p in model.named_parameters() if p.grad is not None}
        frozen.restore()
        assert {p.dtype for p in model.parameters()} == {torch.float32}
        results.append((loss.detach(), gradients))
    (loss, whole), (low_loss, low) = results
    assert torch.equal(loss, low_loss)
    assert whole.keys() == low.keys()
    assert all(torch.equal(whole[name], low[name]) for name in whole)


def test_what_is_frozen_is_low_and_fp32_comes_back(bert: Path) -> None:
    model = built(bert)
    before = {name: t.clone() for name, t in model.state_dict().items()}
    frozen = FrozenWeights(model, "bf16")
    for parameter in model.parameters():
        if parameter.requires_grad:
            assert parameter.dtype == torch.float32
    inner = model.get_base_model().bert.encoder.layer
    for layer in (inner[0].output.dense, inner[1].output.dense.base_layer):
        assert layer.weight.dtype == layer.bias.dtype == torch.bfloat16
    assert inner[0].output.LayerNorm.weight.dtype == torch.float32
    frozen.restore()
    after = model.state_dict()
    assert all(t.dtype == torch.float32 and torch.equal(t, before[n]) for n, t in after.items())
    x = torch.ones(1, inner[1].output.dense.in_features, dtype=torch.bfloat16)
    assert inner[1].output.dense._cast_input_dtype(x, torch.float32).dtype == torch.float32


@pytest.mark.parametrize(
    ("precision", "lora"), [("fp32", {}), ("bf16", {"use_dora": True})], ids=str
)
def test_fp32_stays_and_so_does_what_dora_measures(
    bert: Path, precision: str, lora: dict[str, object]
) -> None:
    model = built(bert, **lora)
    FrozenWeights(model, precision)
    assert {p.dtype for p in model.parameters()} == {torch.float32}


@pytest.mark.parametrize("checkpointing", [False, True])
def test_gradients_end_at_the_lowest_adapter(bert: Path, checkpointing: bool) -> None:
    model = built(bert, checkpointing=checkpointing)
    reached: list[bool] = []
    layers = model.get_base_model().bert.encoder.layer
    layers[0].register_forward_hook(lambda _m, _i, out: reached.append(out.requires_grad))
    _, gradients = step(model)
    assert any(not bool((g == 0).all()) for name, g in gradients.items() if "lora_" in name)
    assert reached == [False]
