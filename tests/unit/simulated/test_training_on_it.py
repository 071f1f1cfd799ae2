"""The training loop on the simulated accelerator: the CPU's losses, and the host waits once a step."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lorakit.plan.tasks.job import Job
from lorakit.training.loop import Loop
from lorakit.training.task import LoopSettings
from tests.support.forked import forked
from tests.support.image_training import encoded, fox_recipe
from tests.support.simulated import NAME
from tests.support.simulated_device import product_on_accelerator
from tests.support.waits import asked, not_allowed

pytestmark = pytest.mark.filterwarnings("ignore")

STEPS = 2
# what the host waits for at every step, and why
A_STEP = {
    "lorakit/training/loop.py:_figures": "the loss is told, and must be a number",
    "lorakit/models/flow/z_image.py:__call__": "the transformer takes prompts as lists, as long as each is",
    "transformers/masking_utils.py:_ignore_causal_mask_sdpa": "whether a mask hides anything",
}
LORA = "method: lora, lora: {rank: 2}"
ALL = "method: full"
TRAINED = [
    pytest.param("sd", LORA, "precision: fp32", id="sd"),
    pytest.param("sd", LORA, "precision: bf16", id="sd in bf16"),
    pytest.param("flux-dev", LORA, "precision: fp32", id="flux"),
    pytest.param("z-image", LORA, "precision: fp32", id="z-image"),
    pytest.param("sdxl", LORA, "precision: fp32", id="sdxl", marks=pytest.mark.slow),
    pytest.param("sd3", LORA, "precision: fp32", id="sd3", marks=pytest.mark.slow),
    pytest.param(
        "sd",
        f"{LORA}, train_text_encoder: true",
        "precision: fp32, gradient_checkpointing: true, gradient_accumulation_steps: 2, ema_decay: 0.9",
        id="sd and its words",
    ),
    pytest.param(
        "sdxl",
        f"{LORA}, train_text_encoder: true, snr_gamma: 5",
        "precision: bf16, gradient_checkpointing: true",
        id="sdxl and its words",
        marks=pytest.mark.slow,
    ),
    pytest.param("sd", ALL, "precision: fp32, optimizer: sgd", id="all of sd"),
    pytest.param("flux-dev", LORA, "precision: bf16", id="flux in bf16", marks=pytest.mark.slow),
]


@pytest.fixture(scope="module", autouse=True)
def _imported() -> None:
    """What each child would import anew, for seconds."""
    for name in ("accelerate", "diffusers.loaders", "peft", "lorakit.training.image_trainer"):
        importlib.import_module(name)
    importlib.import_module("diffusers").StableDiffusionPipeline  # noqa: B018
    importlib.import_module("transformers").CLIPTextModel  # noqa: B018


def stepped(job: Job[Any], device: str, out: Path, clear: Callable[[], Any]) -> list[float]:
    """The losses of all steps; `clear` is called before the first."""
    from accelerate.state import AcceleratorState

    from lorakit.training.image_trainer import ImageTrainer

    AcceleratorState._reset_state(reset_partial_state=True)
    task = replace(job.task, device=device)
    trainer = ImageTrainer(Job(job.id, job.key, task, job.inputs, out, out / "keep", None))
    loop = Loop(trainer.prepare(), LoopSettings.of(task))
    assert loop.accelerator.device.type == device
    clear()
    return [loop.step().loss for _ in range(STEPS)]


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "step", "train"), TRAINED)
@forked
def test_a_step_waits_for_its_figures_alone(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str, step: str, train: str
) -> None:
    large = kind not in ("sd", "sdxl")
    folder = request.getfixturevalue("tiny_transformer" if large else f"tiny_{kind}")
    folder = folder(kind) if large else folder
    keys = f"{step}, train: {{max_train_steps: {STEPS}, batch_size: 2, {train}}}"
    with product_on_accelerator() as device:  # before torch's first way back, which counts devices
        _, job, _ = encoded(fox_recipe(tmp_path / "project", folder, keys), tmp_path / "work")
        here = stepped(job, "cpu", tmp_path / "here", lambda: None)
        there = stepped(job, NAME, tmp_path / "there", device.waits.clear)
        found = asked(device.waits)
    assert found["lorakit/training/loop.py:_figures"] == STEPS
    assert not not_allowed(found, A_STEP)
    assert there == pytest.approx(here, rel=1e-2 if "bf16" in train else 1e-4)
    assert len(set(there)) == STEPS
