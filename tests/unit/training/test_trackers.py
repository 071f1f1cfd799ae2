"""Trackers are told each step, offline, into the folder they are given."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lorakit.training.loop import Loop


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in ("WANDB_MODE", "WANDB_DIR", "WANDB_SILENT", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    yield tmp_path / "style" / "logs"
    import os

    for name in ("WANDB_MODE", "WANDB_DIR", "WANDB_SILENT", "MLFLOW_TRACKING_URI"):
        os.environ.pop(name, None)


def train(toy, settings, folder, tracker: str) -> Loop:
    loop = Loop(toy(), replace(settings, steps=3, trackers=(tracker,)), logs=folder)
    while not loop.done:
        loop.step()
    loop.tell(held_out_loss=0.5)
    loop.close()
    return loop


def test_tensorboard_has_every_step(toy, settings, folder):
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    loop = train(toy, settings, folder, "tensorboard")
    read = events.EventAccumulator(str(folder / "lorakit"))
    read.Reload()
    assert [(s.step, s.value) for s in read.Scalars("loss")] == [
        (f.step, pytest.approx(f.loss)) for f in loop.history
    ]
    assert [s.step for s in read.Scalars("held_out_loss")] == [3]


@pytest.mark.slow
def test_wandb_stays_offline(toy, settings, folder):
    pytest.importorskip("wandb")
    train(toy, settings, folder, "wandb")
    (run,) = (folder / "wandb").glob("offline-run-*")
    (log,) = run.glob("*.wandb")
    assert log.stat().st_size > 1000


@pytest.mark.slow
def test_mlflow_has_every_step(toy, settings, folder):
    mlflow = pytest.importorskip("mlflow")
    loop = train(toy, settings, folder, "mlflow")
    client = mlflow.MlflowClient()
    experiment = client.get_experiment_by_name("lorakit")
    (run,) = client.search_runs([experiment.experiment_id])
    history = client.get_metric_history(run.info.run_id, "loss")
    assert [h.step for h in history] == [1, 2, 3]
    assert [h.value for h in history] == [pytest.approx(f.loss) for f in loop.history]


def test_a_tracker_that_fails_ends_no_training(toy, settings, tmp_path):
    pytest.importorskip("tensorboard")
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "lorakit").write_text("in the way")
    loop = Loop(toy(), replace(settings, trackers=("tensorboard",)), logs=tmp_path / "logs")
    loop.step()
    assert loop.step_number == 1
