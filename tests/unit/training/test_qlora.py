"""Adapters trained on weights that are kept in few bits, and in bf16: really, on a CPU."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from lorakit.training.image_trainer import ImageTrainer
from lorakit.training.rank_shard import WHOLE
from tests.support.image_training import encoded, fox_recipe, train

pytestmark = pytest.mark.filterwarnings("ignore")
STEP = (
    "lora: {rank: 4, target_modules: [to_q, to_k, to_v, to_out.0]}, train: {max_train_steps: 8, "
    "batch_size: 3, learning_rate: 0.1, lr_scheduler: constant, precision: bf16}"
)


def recipe(folder: Path, model: Path, memory: str) -> Path:
    made = fox_recipe(folder, model, STEP)
    made.write_text(made.read_text().replace("dtype: fp32", f"dtype: bf16, memory: {memory}"))
    return made


@pytest.mark.slow
@pytest.mark.parametrize(("memory", "kept"), [("auto", 0), ("low", 8), ("minimal", 4)])
def test_an_adapter_is_trained_on_frozen_weights_in_few_bits(
    memory: str, kept: int, tiny_transformer: Callable[[str], Path], tmp_path: Path
) -> None:
    if kept:
        pytest.importorskip("bitsandbytes")
    done = train(recipe(tmp_path, tiny_transformer("flux-dev"), memory), tmp_path / "scratch")
    task = done.job.task
    assert (task.frozen, task.weight_bits) == ("bf16", kept)
    assert (task.key()["frozen"], task.key().get("weight_bits", 0)) == ("bf16", kept)
    figures = json.loads(Path(done.outputs["metrics"]).read_text())
    # it arrives where a fresh process loads the same weights, and diffusers the adapter
    assert figures["reloaded_difference"] is not None, figures["reload_warning"]
    assert figures["fixed_loss"] < 0.95 * figures["fixed_loss_before"]


@pytest.mark.parametrize("memory", ["auto", "minimal"])
def test_what_is_trained_is_fp32_and_all_else_is_kept_low(
    memory: str, tiny_transformer: Callable[[str], Path], tmp_path: Path
) -> None:
    pytest.importorskip("bitsandbytes")
    path = recipe(tmp_path, tiny_transformer("flux-dev"), memory)
    _, job, _ = encoded(path, tmp_path / "scratch")
    learner = ImageTrainer(job).prepare()
    trained = learner.parameters()
    assert {p.dtype for p in trained.values()} == {torch.float32}
    mine = {id(p) for p in trained.values()}
    frozen = [p for p in learner.model.parameters() if id(p) not in mine]
    assert not any(p.requires_grad for p in frozen)
    low = {torch.bfloat16} if memory == "auto" else {torch.bfloat16, torch.uint8}
    assert {p.dtype for p in frozen} == low


def test_rounded_weights_are_learnt_on_as_peft_learns_on_them(
    tiny_transformer: Callable[[str], Path], tmp_path: Path
) -> None:
    """The loss and its gradients are those of the weights that rounding left, in bf16."""
    bnb = pytest.importorskip("bitsandbytes")
    path = recipe(tmp_path, tiny_transformer("flux-dev"), "minimal")
    _, job, _ = encoded(path, tmp_path / "scratch")
    learner = ImageTrainer(job).prepare()
    rng = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in learner.parameters().values():
            parameter.copy_(torch.randn(parameter.shape, generator=rng) * 0.3)

    def learnt() -> tuple[float, list[Any]]:
        learner.model.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            loss = learner.loss(learner.model, learner.batch(0), seeded(), WHOLE)
        loss.backward()
        return float(loss), [p.grad.clone() for p in learner.parameters().values()]

    def seeded() -> torch.Generator:
        return torch.Generator().manual_seed(3)

    found, gradients = learnt()
    count = 0
    for holder in list(learner.model.modules()):
        for name, layer in list(holder.named_children()):
            if isinstance(layer, bnb.nn.Linear4bit):
                weight = layer.weight
                whole = torch.nn.Linear(layer.in_features, layer.out_features, dtype=torch.bfloat16)
                whole.weight.data = bnb.functional.dequantize_4bit(weight.data, weight.quant_state)
                whole.bias = layer.bias
                setattr(holder, name, whole.requires_grad_(requires_grad=False))
                count += 1
    assert count > 20
    expected, others = learnt()
    assert found == pytest.approx(expected, rel=5e-3)  # bf16 has three digits
    one, other = (torch.cat([g.flatten() for g in each]) for each in (gradients, others))
    assert torch.cosine_similarity(one, other, dim=0) > 0.95  # of bf16
