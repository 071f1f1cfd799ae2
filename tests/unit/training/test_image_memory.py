"""What saves memory in a training on pictures changes nothing that is learnt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from torch.utils import checkpoint

from lorakit.plan.tasks.job import Job
from lorakit.plan.tasks.training import TrainImageTask
from lorakit.training import canonical
from lorakit.training.checkpoints import Checkpoints
from lorakit.training.image_trainer import ImageTrainer
from tests.support.image_training import encoded, fox_recipe
from tests.support.tiny_transformers import KINDS

pytestmark = pytest.mark.filterwarnings("ignore")

STEPS = 3
WAYS = {
    "lora": "lora: {rank: 2, dropout: 0.2}",
    "flux-dev": "lora: {rank: 2, dropout: 0.2}",
    "text-encoder": "lora: {rank: 2}, train_text_encoder: true",
    "full": "method: full",
}


def learnt(job: Job[TrainImageTask], name: str, **train: Any) -> tuple[list[float], dict[str, Any]]:
    """The losses of a few steps, and the weights after them."""
    task = replace(job.task, train=replace(job.task.train, **train))
    keep, out = (folder.with_name(f"{folder.name}-{name}") for folder in (job.keep, job.out))
    one = replace(job, task=task, keep=keep, out=out)
    losses: dict[int, float] = {}

    def report(_job: str, done: int, _total: int, figures: Any = None) -> None:
        losses[done] = figures["loss"]

    steps = ImageTrainer(one).run(report)
    while len(losses) < STEPS:
        next(steps)
    steps.close()
    tensors, _ = canonical.read(Checkpoints(one.keep).path(STEPS))
    return list(losses.values()), {k: t for k, t in tensors.items() if k.startswith("weight/")}


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("way", WAYS)
def test_gradient_checkpointing_learns_what_a_training_without_it_does(
    tiny_sd: Path,
    tiny_transformer: Callable[[str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
    precision: str,
) -> None:
    step = (
        f"{WAYS[way]}, train: {{max_train_steps: {STEPS}, "
        f"batch_size: 2, learning_rate: 1e-2, precision: {precision}}}"
    )
    model = tiny_transformer(way) if way in KINDS else tiny_sd
    recipe = fox_recipe(tmp_path, model, step, ", test_size: 1")
    _, job, _ = encoded(recipe, tmp_path / "scratch")
    losses, weights = learnt(job, "plain")
    called: list[object] = []
    again = checkpoint.checkpoint

    def counted(function: object, *args: Any, **more: Any) -> Any:
        called.append(function)
        return again(function, *args, **more)

    monkeypatch.setattr(checkpoint, "checkpoint", counted)
    saving, others = learnt(job, "saving", gradient_checkpointing=True)
    assert len(called) >= STEPS
    assert len(set(losses)) == STEPS
    assert saving == pytest.approx(losses, rel=1e-6)
    assert weights.keys() == others.keys()
    for name, one in weights.items():
        assert float((one - others[name]).abs().max()) <= 1e-5 * float(one.abs().max()), name
