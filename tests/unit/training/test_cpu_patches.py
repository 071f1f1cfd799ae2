"""One switch turns off all that is patched for a CPU, and a training loses what it loses with it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from lorakit.cpu.attention import SmallInMath
from lorakit.cpu.dropping import quick_dropout
from lorakit.cpu.frozen_weights import FrozenWeights
from lorakit.cpu.heap import keep_freed_memory
from lorakit.cpu.rowwise import compute_row_by_row
from lorakit.facts.machine.this_machine import CPU_PATCHES_VARIABLE, this_machine
from lorakit.plan.tasks.job import Job
from lorakit.plan.tasks.training import TrainImageTask
from lorakit.training.image_trainer import ImageTrainer
from tests.support.image_training import encoded, fox_recipe

pytestmark = pytest.mark.filterwarnings("ignore")
STEPS = 3


@pytest.fixture
def unpatched(monkeypatch: pytest.MonkeyPatch) -> None:
    keep_freed_memory.cache_clear()
    monkeypatch.setenv(CPU_PATCHES_VARIABLE, "0")


@pytest.fixture(autouse=True)
def forget() -> Any:
    yield
    this_machine.cache_clear()
    keep_freed_memory.cache_clear()


def losses(job: Job[TrainImageTask], name: str) -> list[float]:
    found: dict[int, float] = {}

    def report(_job: str, done: int, _total: int, figures: Any = None) -> None:
        found[done] = figures["loss"]

    out, keep = (folder.with_name(f"{folder.name}-{name}") for folder in (job.out, job.keep))
    run = ImageTrainer(replace(job, out=out, keep=keep)).run(report)
    while len(found) < STEPS:
        next(run)
    run.close()
    return list(found.values())


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_training_with_the_patches_off_loses_the_same(
    tiny_sd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, precision: str
) -> None:
    step = (
        f"lora: {{rank: 2}}, train: {{max_train_steps: {STEPS}, batch_size: 2, "
        f"learning_rate: 1e-2, precision: {precision}}}"
    )
    _, job, _ = encoded(fox_recipe(tmp_path, tiny_sd, step), tmp_path / "scratch")
    patched = losses(job, "patched")
    monkeypatch.setenv(CPU_PATCHES_VARIABLE, "off")
    plain = losses(job, "plain")
    assert patched == (plain if precision == "fp32" else pytest.approx(plain, rel=2e-2))


@pytest.mark.usefixtures("unpatched")
def test_nothing_is_patched_where_it_is_off() -> None:
    from diffusers import UNet2DConditionModel

    unet = UNet2DConditionModel(
        sample_size=8, layers_per_block=1, block_out_channels=(32,), cross_attention_dim=16,
        down_block_types=("CrossAttnDownBlock2D",), up_block_types=("CrossAttnUpBlock2D",),
    )  # fmt: skip
    from lorakit.cpu.attention import small_attention_in_math

    before = {name: module.forward.__qualname__ for name, module in unet.named_modules()}
    compute_row_by_row(unet)
    small_attention_in_math(unet)
    unet.requires_grad_(requires_grad=False)
    FrozenWeights(unet, "bf16")
    assert {n: m.forward.__qualname__ for n, m in unet.named_modules()} == before
    processors = [getattr(module, "processor", None) for module in unet.modules()]
    assert not any(isinstance(processor, SmallInMath) for processor in processors)
    assert {p.dtype for p in unet.parameters()} == {torch.float32}
    assert not keep_freed_memory()

    def drop() -> torch.Tensor:
        torch.manual_seed(3)
        return torch.nn.functional.dropout(torch.ones(500), 0.1)

    own = drop()
    with quick_dropout():
        assert torch.equal(drop(), own)


def test_what_is_made_without_them_is_not_taken_for_what_is_made_with_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    this_machine.cache_clear()
    with_them = this_machine().device_class
    monkeypatch.setenv(CPU_PATCHES_VARIABLE, "0")
    this_machine.cache_clear()
    assert this_machine().device_class == f"{with_them}-unpatched"
