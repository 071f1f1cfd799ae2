"""A training on pictures that is stopped anywhere goes on from where it was, to the same bytes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lorakit.plan.tasks.job import Job
from lorakit.plan.tasks.training import TrainImageTask
from lorakit.store import journal
from lorakit.training.checkpoints import Checkpoints
from lorakit.training.image_trainer import ImageTrainer
from tests.support.image_training import encoded, fox_recipe

pytestmark = pytest.mark.filterwarnings("ignore")

STEPS, SAMPLED = 3, 2
ADAPTER = "pytorch_lora_weights.safetensors"
ImageJob = Job[TrainImageTask]


@pytest.fixture(params=["sd", "flux-dev"])
def job(request: pytest.FixtureRequest, tiny_sd: Path, tmp_path: Path) -> ImageJob:
    """Three steps, a sample after the second, a picture held out and looked at after each."""
    step = (
        "lora: {rank: 2, target_modules: [to_v]}, "
        f"samples: {{prompts: [a fox], every: {SAMPLED}}}, train: {{max_train_steps: {STEPS}, "
        f"checkpointing_steps: {SAMPLED}, batch_size: 1, learning_rate: 1e-2, precision: fp32, "
        "ema_decay: 0.5}"
    )
    flow = request.param != "sd"
    model = request.getfixturevalue("tiny_transformer")(request.param) if flow else tiny_sd
    recipe = fox_recipe(tmp_path, model, step, ", test_size: 1")
    _, made, _ = encoded(recipe, tmp_path / "scratch")
    return made


def follow(job: ImageJob, told: list[int]) -> Iterator[None]:
    """A training, with the steps that it tells of."""
    return ImageTrainer(job).run(lambda _job, done, _total, _figures=None: told.append(done))


def apart(job: ImageJob, name: str) -> ImageJob:
    """The same training with folders of its own."""
    out, keep = (folder.with_name(f"{folder.name}-{name}") for folder in (job.out, job.keep))
    return replace(job, out=out, keep=keep)


def until_saved(job: ImageJob, told: list[int]) -> tuple[int, dict[str, bytes]]:
    """How many pieces of work came before an adapter was there, and the bytes of what was kept."""
    adapter, pieces = job.out / ADAPTER, 0
    adapter.unlink(missing_ok=True)
    steps = follow(job, told)
    for _ in steps:
        if adapter.exists():
            break
        pieces += 1
    steps.close()
    sampled = job.keep / f"adapter-{SAMPLED:08d}" / ADAPTER
    looks = (job.keep / "held_out.jsonl").read_bytes()
    return pieces, {"end": adapter.read_bytes(), "middle": sampled.read_bytes(), "looks": looks}


@pytest.mark.slow
def test_complaint_06_a_training_stopped_or_killed_anywhere_goes_on_to_the_same_bytes(
    job: ImageJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed: dict[int, Path] = {}
    save = Checkpoints.save

    def killed_after(self: Checkpoints, one: Any) -> Path:
        file = save(self, one)
        killed[one.step] = self.folder.with_name(f"killed-{one.step}")
        if one.step < STEPS:  # the disk as a kill leaves it at this moment
            shutil.copytree(self.folder, killed[one.step])
        return file

    with monkeypatch.context() as patched:
        patched.setattr(Checkpoints, "save", killed_after)
        pieces, expected = until_saved(apart(job, "whole"), [])
    assert pieces == STEPS + 1 + STEPS  # its steps, and a look before the first and after each
    for number in range(1, pieces + 1):
        told: list[int] = []
        one = apart(job, f"stopped-{number}")
        steps = follow(one, told)
        for _ in range(number):
            next(steps)
        steps.close()
        at = len(told)
        _, found = until_saved(one, told)
        assert told == list(range(1, STEPS + 1)), f"stopped after {at} steps, in piece {number}"
        assert found == expected, f"stopped after {at} steps, in piece {number}"
    told = []
    one = apart(job, "killed")
    shutil.copytree(killed[SAMPLED], one.keep)
    _, found = until_saved(one, told)
    assert told == list(range(SAMPLED + 1, STEPS + 1))
    assert found == expected


def test_a_sample_that_no_checkpoint_leads_to_any_more_is_trained_for_again(
    job: ImageJob,
) -> None:
    _, expected = until_saved(job, [])
    shutil.rmtree(job.keep / f"adapter-{SAMPLED:08d}")  # as if it had not been asked for
    assert Checkpoints(job.keep).steps() == [SAMPLED, STEPS]
    told: list[int] = []
    _, found = until_saved(job, told)
    assert told == [3]  # the checkpoint of step 2 has what its sample is made of
    assert found == expected


@pytest.mark.slow
def test_the_time_of_earlier_processes_counts_as_the_training_s(job: ImageJob) -> None:
    steps = follow(job, [])
    for _ in range(3):
        next(steps)
    steps.close()
    log = job.keep / "metrics.jsonl"
    lines = journal.read_checked(log)
    assert lines
    slow = [journal.checked(line | {"seconds": 1000.0}) for line in lines]
    log.write_text("".join(slow))
    steps = follow(job, [])
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found = json.loads(Path(end.value["metrics"]).read_text())
            break
    assert found["training_seconds"] > 1000
    assert found["wall_seconds"] > found["training_seconds"]
