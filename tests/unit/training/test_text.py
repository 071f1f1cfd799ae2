"""Batches, figures and formats of text trainings, on a tiny BERT built here."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from lorakit.diagnostics import LorakitError
from lorakit.plan.tasks.training import TrainTextTask
from lorakit.training import metrics, text_model, text_reload
from lorakit.training.text_batches import TextBatches
from tests.support.actions import LORA, TEXTS
from tests.support.tiny_text import save_bert

LABELS = ["no", "yes"]


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_bert(tmp_path_factory.mktemp("bert"))


def order_of(count: int, batch: int, seed: int = 1, precision: str = "fp32") -> TextBatches:
    ids = [[2] * (3 + (7 * n) % 11) for n in range(count)]
    return TextBatches(ids, [n % 2 for n in range(count)], 0, batch, seed, 13, precision)


def test_every_sample_is_seen_once_an_epoch_ragged_last_batch_and_all() -> None:
    batches = order_of(103, 8)
    assert batches.per_epoch == 13
    for epoch in range(3):
        seen = [one for k in range(13) for one in batches.members(epoch * 13 + k)]
        assert sorted(seen) == list(range(103))


def test_the_order_is_a_function_of_seed_and_number() -> None:
    forwards = [order_of(50, 4).members(k) for k in range(30)]
    one = order_of(50, 4)
    assert [one.members(k) for k in reversed(range(30))][::-1] == forwards
    assert [order_of(50, 4, seed=2).members(k) for k in range(30)] != forwards
    assert forwards[:13] != forwards[13:26]


def test_batches_are_of_like_length_and_masked_only_where_padded() -> None:
    batches = order_of(400, 8)
    wasted = whole = 0
    for number in range(batches.per_epoch):
        batch = batches.batch(number)
        whole += batch["input_ids"].numel()
        if "attention_mask" in batch:
            assert int(batch["attention_mask"].sum(1).min()) < batch["input_ids"].shape[1]
            wasted += int((batch["attention_mask"] == 0).sum())
    assert wasted / whole < 0.05


def test_low_precision_pads_to_eights_but_never_over_the_limit() -> None:
    exact, low = order_of(400, 8), order_of(400, 8, precision="bf16")
    for number in range(exact.per_epoch):
        short = exact.batch(number)["input_ids"].shape[1]
        batch = low.batch(number)
        assert batch["input_ids"].shape[1] == (8 if short <= 8 else 13)
        lengths = [len(low.ids[one]) for one in low.members(number)]
        shown = batch.get("attention_mask", torch.ones_like(batch["input_ids"]))
        assert shown.sum(1).tolist() == lengths


def test_figures_of_a_confusion_matrix() -> None:
    matrix = metrics.confusion([0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 1, 0], 3)
    assert matrix == [[2, 1, 0], [0, 2, 0], [1, 0, 0]]
    assert metrics.accuracy(matrix) == pytest.approx(4 / 6)
    assert metrics.macro_f1(matrix) == pytest.approx((2 * 2 / 6 + 2 * 2 / 5 + 0) / 3)


def task_on(bert: Path, method: str = "lora", **lora: Any) -> TrainTextTask:
    shape = replace(LORA, **{"rank": 4, "alpha": 9.0, "dropout": 0.1, **lora})
    adapter = None if method == "full" else shape
    return replace(TEXTS, method=method, lora=adapter, model_path=str(bert), labels=tuple(LABELS))


def trained(bert: Path, method: str = "lora", **lora: object):
    """A model whose adapter and head are far from where they began."""
    model = text_model.build(task_on(bert, method, **lora))
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.3)
    return model


def tokenizer(bert: Path):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(bert)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "lora"),
    [
        ("full", {}),
        ("lora", {}),
        ("lora", {"use_dora": True}),
        ("lora", {"use_rslora": True}),
        ("lora", {"target_modules": r".*attention\.self\.(key|value)"}),
        ("lora", {"modules_to_save": ["pooler"]}),
    ],
    ids=lambda v: "-".join(v) if isinstance(v, dict) else v,
)
def test_complaint_11_a_saved_adapter_says_the_same_in_a_fresh_process(
    bert: Path, tmp_path: Path, method: str, lora: dict[str, object]
) -> None:
    model = trained(bert, method, **lora)
    text_model.save(model, tokenizer(bert), tmp_path, "tiny", full=method == "full")
    batch = {"input_ids": torch.tensor([[2, 5, 6, 7, 3], [2, 8, 9, 4, 3]])}
    expected = text_reload.logits(model, batch)
    full = method == "full"
    assert text_reload.check(tmp_path, bert, LABELS, batch, expected, full=full) < 1e-5
    if method == "lora" and not lora:
        with pytest.raises(LorakitError, match="says something else"):
            text_reload.check(tmp_path, bert, LABELS, batch, expected + 1, full=full)


def test_complaint_11_alpha_is_kept_where_it_is_not_the_rank(bert: Path, tmp_path: Path) -> None:
    text_model.save(trained(bert), tokenizer(bert), tmp_path, "tiny", full=False)
    config = json.loads((tmp_path / "adapter_config.json").read_text())
    assert (config["r"], config["lora_alpha"]) == (4, 9.0)
    assert config["base_model_name_or_path"] == "tiny"


def test_complaint_16_a_classifier_s_head_is_saved_and_asserted(bert: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    model = trained(bert)
    text_model.save(model, tokenizer(bert), tmp_path, "tiny", full=False)
    saved = load_file(tmp_path / "adapter_model.safetensors")
    head = model.get_base_model().classifier.modules_to_save["default"]
    assert torch.equal(saved["base_model.model.classifier.weight"], head.weight)
    assert torch.equal(saved["base_model.model.classifier.bias"], head.bias)
    assert text_model.missing_heads(saved, ["classifier"]) == []
    without = {name: t for name, t in saved.items() if "classifier" not in name}
    assert text_model.missing_heads(without, ["classifier"]) == ["classifier"]


def test_complaint_14_an_adapter_begins_the_same_whatever_happened_before(bert: Path) -> None:
    torch.manual_seed(1)
    one = text_model.build(task_on(bert)).state_dict()
    torch.manual_seed(2)
    torch.randn(5)
    other = text_model.build(task_on(bert)).state_dict()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_equal_weights_make_equal_bytes(bert: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        text_model.save(trained(bert), tokenizer(bert), tmp_path / name, "tiny", full=False)
    for file in ("adapter_model.safetensors", "adapter_config.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_balanced_weights_are_scikit_learn_s_and_a_batch_is_its_shards() -> None:
    from lorakit.training.rank_shard import RankShard
    from lorakit.training.text_task import TextTask, balanced_weights

    labels = [0, 0, 0, 0, 0, 0, 1, 1, 3]
    weights = balanced_weights(labels, 4)
    # compute_class_weight("balanced"): 9 / (4 * [6, 2, 1]); nothing is learnt of a label without texts
    assert weights.tolist() == pytest.approx([0.375, 1.125, 0.0, 2.25])

    class Fixed(torch.nn.Module):
        def forward(self, input_ids: torch.Tensor) -> object:
            return type("Out", (), {"logits": input_ids.float()})()

    logits = torch.randn(9, 4, generator=torch.Generator().manual_seed(1))
    batch = {"input_ids": logits, "labels": torch.tensor(labels)}
    task = TextTask(Fixed(), None, (), weights)  # type: ignore[arg-type]
    generator = torch.Generator()
    whole = task.loss(task.model, batch, generator, RankShard())
    chosen = logits.log_softmax(1)[range(9), labels]
    assert float(whole) == pytest.approx(float((-chosen * weights[labels]).sum() / 9), rel=1e-5)
    parts = [
        task.loss(task.model, batch, generator, RankShard(rank, 2)) * RankShard(rank, 2).weight(9)
        for rank in range(2)
    ]
    assert float(sum(parts) / 2) == pytest.approx(float(whole), rel=1e-5)
