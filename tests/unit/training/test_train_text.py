"""The trainer of texts in this process: what it leaves, and what it does where it is stopped."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lorakit.facts.texts.text_json import as_json
from lorakit.language.recipe.trainings import Columns, DataSource
from lorakit.plan.engine_specs import EngineSpec
from lorakit.plan.tasks.job import Job
from lorakit.plan.tasks.training import TrainTextTask
from lorakit.training.engine import TrainEngine
from tests.support.actions import TEXTS, TRAIN
from tests.support.tiny_text import save_bert

STEPS = 20
TextJob = Job[TrainTextTask]


@pytest.fixture
def job(tmp_path: Path) -> TextJob:
    """A training of a tiny BERT on forty reviews, as a plan describes it to its worker."""
    (tmp_path / "bert").mkdir()
    save_bert(tmp_path / "bert")
    lines = ["mark,review"]
    for number in range(40):
        word = ("good", "great", "bad", "awful")[number % 4]
        lines.append(f"{'good' if number % 4 < 2 else 'bad'},the film was {word}")
    (tmp_path / "films.csv").write_text("\n".join(lines) + "\n")
    from lorakit.diagnostics import Place

    source = DataSource(
        "films",
        Place("recipe.yaml", 1, 1),
        texts=str(tmp_path / "films.csv"),
        test_size=10,
        columns=Columns("review", "mark"),
    )
    task = replace(
        TEXTS,
        train=replace(TRAIN, steps=STEPS),
        model_path=str(tmp_path / "bert"),
        source="bert",
        dataset=as_json(source),
        labels=("bad", "good"),
        checkpointing_steps=5,
    )
    folders = (tmp_path / name for name in ("out", "keep", "logs"))
    return Job("lora/training", "key", task, {}, *folders)


def elsewhere(job: TextJob, **train: Any) -> TextJob:
    """The same training in other folders, with other arguments."""
    task = replace(job.task, train=replace(job.task.train, **train))
    out, keep = (folder.with_name(f"{folder.name}2") for folder in (job.out, job.keep))
    return replace(job, task=task, out=out, keep=keep)


def finished(job: TextJob) -> tuple[dict[str, object], list[dict[str, float]]]:
    """The job's end, and what was told of its steps."""
    told: list[dict[str, float]] = []

    def report(_id: str, done: int, _total: int, figures: dict[str, float]) -> None:
        told.append({"step": done, **figures})

    engine = TrainEngine(EngineSpec(), report)
    engine.submit(job)
    while True:
        for ended in engine.step():
            return dict(ended), told


@pytest.mark.slow
def test_the_held_out_loss_is_measured_along_the_training(job: TextJob) -> None:
    ended, told = finished(job)
    outputs = ended["outputs"]
    lines = [json.loads(line) for line in Path(outputs["log"]).read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(1, STEPS + 1))
    measured = {line["step"]: line["held_out_loss"] for line in lines if "held_out_loss" in line}
    assert sorted(measured) == list(range(2, STEPS + 1, 2))
    found = json.loads(Path(outputs["metrics"]).read_text())
    # ten texts are held out: the last look sees them all, as the score does
    assert measured[STEPS] == pytest.approx(found["held_out_loss"], abs=1e-5)
    assert told[2]["held_out_loss"] == measured[2]
    assert Path(outputs["curve"]).stat().st_size > 2000


@pytest.mark.slow
def test_looking_changes_nothing_and_a_stopped_training_looks_again(job: TextJob) -> None:
    whole, _ = finished(job)
    expected = Path(whole["outputs"]["adapter"]).read_bytes()
    again = elsewhere(job)
    engine = TrainEngine(EngineSpec(), lambda *_: None)
    engine.submit(again)
    for _ in range(40):  # in the midst of steps and looks
        engine.step()
    engine.close()
    kept = again.keep / "held_out.jsonl"
    before = [json.loads(line)["step"] for line in kept.read_text().splitlines()]
    assert 0 in before
    assert STEPS not in before
    ended, _ = finished(again)
    assert Path(ended["outputs"]["adapter"]).read_bytes() == expected
    lines = Path(ended["outputs"]["log"]).read_text().splitlines()
    assert sum("held_out_loss" in line for line in lines) == 10


@pytest.mark.slow
def test_two_processes_end_where_one_does(job: TextJob) -> None:
    one, _ = finished(job)
    two, _ = finished(elsewhere(job, processes=2))
    losses = [
        [
            json.loads(line)["loss"]
            for line in Path(ended["outputs"]["log"]).read_text().splitlines()
        ]
        for ended in (one, two)
    ]
    assert losses[1] == pytest.approx(losses[0], abs=1e-5)
    figures = json.loads(Path(two["outputs"]["metrics"]).read_text())
    assert figures["reloaded_difference"] < 1e-4


def test_complaint_09_what_does_not_fit_says_which_key_to_change(
    job: TextJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    from lorakit.training.text_task import TextTask

    def greedy(self: TextTask, *_: object) -> torch.Tensor:
        return torch.empty(1 << 50)  # torch's allocator says itself that it has not got that

    monkeypatch.setattr(TextTask, "loss", greedy)
    ended, _ = finished(job)
    assert ended["error"] == (
        "out of memory with train.batch_size 4: write batch_size: 2 and "
        "gradient_accumulation_steps: 2, which trains on as many samples a step"
    )


@pytest.mark.slow
def test_a_disk_that_fills_is_said_and_the_training_goes_on_from_its_last_checkpoint(
    job: TextJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    sync, files = os.fsync, []

    def fills(number: int) -> None:
        files.append(number)
        if len(files) > 2:  # a checkpoint, and its folder
            raise OSError(28, "No space left on device")
        sync(number)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fills)
        ended, _ = finished(job)
    assert ended["error"].startswith("the disk is full: the last checkpoint is whole")
    kept = [path.name for path in job.keep.glob("*.safetensors")]
    assert kept == ["step-00000005.safetensors"]
    ended, told = finished(job)
    assert told[0]["step"] == 6
    assert "outputs" in ended


@pytest.mark.usefixtures("real_starts")
@pytest.mark.slow
def test_complaint_13_a_training_opens_no_connection(
    job: TextJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    def refused(*_: object, **__: object) -> None:
        raise AssertionError("a training went to the network")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    ended, _ = finished(elsewhere(job, steps=2))
    assert "outputs" in ended


def test_adapters_of_steps_load_with_peft_and_the_best_is_the_result(job: TextJob) -> None:
    from safetensors.torch import load_file

    from lorakit.training.text_model import load

    task = replace(
        job.task, adapter_steps=(4,), train=replace(job.task.train, steps=8, keep="best")
    )
    ended, _ = finished(replace(job, task=task))
    outputs = ended["outputs"]
    assert set(outputs) >= {"adapter", "adapter_4", "config_4"}
    base = Path(job.task.model_path)
    model = load(Path(outputs["adapter_4"]).parent, base, job.task.labels, full=False)
    kept, saved = load_file(outputs["adapter_4"]), model.state_dict()
    name = next(key for key in kept if "lora_B" in key)
    assert saved[name.replace("lora_B.weight", "lora_B.default.weight")].equal(kept[name])
    lines = [json.loads(line) for line in Path(outputs["log"]).read_text().splitlines()]
    losses = {one["step"]: one["held_out_loss"] for one in lines if "held_out_loss" in one}
    found = json.loads(Path(outputs["metrics"]).read_text())
    assert found["best_step"] == min(losses, key=lambda at: (losses[at], at))
    assert found["held_out_loss"] == pytest.approx(losses[found["best_step"]], abs=1e-5)


@pytest.mark.slow
def test_a_training_of_texts_goes_on_from_another_s_adapter_and_head(job: TextJob) -> None:
    from safetensors.torch import load_file

    short = replace(job.task, train=replace(job.task.train, steps=4))
    first, _ = finished(replace(job, task=short))
    adapter = Path(first["outputs"]["adapter"])
    again = elsewhere(job, steps=1, learning_rate=1e-9)
    again = replace(again, inputs={"start": str(adapter)})
    second, _ = finished(replace(again, task=replace(again.task, start="input:start")))
    one, other = load_file(adapter), load_file(second["outputs"]["adapter"])
    assert one.keys() == other.keys()
    assert any("classifier" in name for name in one)
    assert all((one[name] - other[name]).abs().max() < 1e-6 for name in one)
    lora = replace(job.task.lora, rank=3)
    ended, _ = finished(
        replace(
            again, task=replace(again.task, lora=lora), out=again.out / "x", keep=again.keep / "x"
        )
    )
    assert "in what is gone on from" in ended["error"]
