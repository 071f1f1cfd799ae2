"""Text trainings as a user runs them: from YAML to adapter and table, killed and gone on with."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.runs import Ran, begin, run, workers_of
from tests.support.tiny_text import save_bert

STEPS = 200
WEIGHTS = ("adapter_model.safetensors", "adapter_config.json")


def recipe_text(*, steps: int = STEPS, every: int = 20, more: str = "") -> str:
    train = f"max_train_steps: {steps}, batch_size: 4, learning_rate: 1e-2, precision: fp32"
    return (
        "recipe: 1\nname: judge\nseed: 3\nmodels: {bert: {from: bert}}\n"
        "datasets: {films: {texts: films.csv, columns: {text: review, label: mark}, test_size: 10}}\n"
        "steps:\n"
        f"  lora: {{kind: train-text, data: films, max_length: 32, lora: {{rank: 2, dropout: 0.1, target_modules: [query, key, value, dense]}}, "
        f"train: {{{train}, checkpointing_steps: {every}}}}}\n{more}"
    )


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a tiny BERT and forty reviews."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return filled(tmp_path)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the training of `recipe_text()` makes when nothing stops it; its table of losses is whole."""
    project = filled(tmp_path_factory.mktemp("unbroken"))
    (project / "recipe.yaml").write_text(recipe_text())
    whole = run(project)
    assert whole.code == 0, whole.errors
    return digests(whole)


def filled(folder: Path) -> Path:
    (folder / ".lorakit").mkdir()
    (folder / "bert").mkdir()
    save_bert(folder / "bert")
    lines = ["mark,review"]
    for number in range(40):
        word = ("good", "great", "bad", "awful")[number % 4]
        tail = " very" * (number % 5)
        lines.append(f"{'good' if number % 4 < 2 else 'bad'},the film was{tail} {word}")
    (folder / "films.csv").write_text("\n".join(lines) + "\n")
    return folder


def digests(ran: Ran) -> dict[str, str]:
    """SHA-256 of what was trained; where its model lies is the project's own."""
    found = {n: (ran.folder / "lora" / n).read_bytes() for n in WEIGHTS}
    model = json.loads(found[WEIGHTS[1]])["base_model_name_or_path"]
    found[WEIGHTS[1]] = found[WEIGHTS[1]].replace(model.encode(), b"")
    return {name: hashlib.sha256(data).hexdigest() for name, data in found.items()}


def steps_told(events: list[dict[str, object]]) -> list[int]:
    return [int(str(e["done"])) for e in events if e["type"] == "action-progress"]


def stopped_midway(project: Path, how: int, *, whom: str, past: int) -> list[dict[str, object]]:
    """Start a run and stop it once the training is past a step; the run's events."""
    process = begin(project, "run", "--json", stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout is not None
    events: list[dict[str, object]] = []
    for line in process.stdout:
        events.append(json.loads(line))
        if events[-1]["type"] == "action-progress" and int(str(events[-1]["done"])) > past:
            target = process.pid if whom == "parent" else workers_of(process, "train")[0].pid
            with contextlib.suppress(ProcessLookupError):
                os.kill(target, how)
            break
    rest, _ = process.communicate()
    return [*events, *(json.loads(line) for line in rest.splitlines() if line.startswith("{"))]


@pytest.mark.slow
def test_complaint_06_a_killed_training_goes_on_to_the_same_bytes(
    project: Path, unbroken: dict[str, str]
) -> None:
    (project / "recipe.yaml").write_text(recipe_text())
    stopped_midway(project, signal.SIGKILL, whom="parent", past=30)
    kept = sorted((project / ".lorakit" / "checkpoints").rglob("step-*.safetensors"))
    assert kept
    again = run(project)
    assert again.code == 0
    assert min(steps_told(again.events)) > 20
    assert digests(again) == unbroken
    assert not list((project / ".lorakit" / "checkpoints").glob("*"))
    log = (again.folder / "lora" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in log] == list(range(1, STEPS + 1))


@pytest.mark.slow
def test_a_worker_that_is_killed_is_started_again_and_goes_on(
    project: Path, unbroken: dict[str, str]
) -> None:
    (project / "recipe.yaml").write_text(recipe_text())
    events = stopped_midway(project, signal.SIGKILL, whom="worker", past=30)
    assert events[-1]["ending"] == "done"
    assert any("starting it again" in str(e.get("text", "")) for e in events)
    assert digests(Ran(0, [], Path(str(events[0]["folder"])), "")) == unbroken


@pytest.mark.slow
def test_the_first_interrupt_saves(project: Path) -> None:
    (project / "recipe.yaml").write_text(recipe_text(steps=5000, every=4999))
    began = time.monotonic()
    events = stopped_midway(project, signal.SIGINT, whom="parent", past=30)
    assert time.monotonic() - began < 100
    assert events[-1]["ending"] == "interrupted"
    (kept,) = (project / ".lorakit" / "checkpoints").rglob("step-*.safetensors")
    assert int(kept.stem.removeprefix("step-")) > 30


@pytest.mark.slow
def test_until_stops_a_training_in_its_middle_and_the_next_run_goes_on(
    project: Path, unbroken: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nine hours go by once the training has told of a step: the clock is not this machine's."""
    (project / "recipe.yaml").write_text(recipe_text(every=STEPS - 1))

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            logs = (project / "outputs").rglob("events.jsonl")
            trains = any('"action-progress"' in log.read_text("utf-8") for log in logs)
            return datetime.now(tz) + timedelta(hours=9 if trains else 0)

    with monkeypatch.context() as patched:
        patched.setattr("lorakit.cli.run.datetime", Clock)
        stopped = run(project, "--until", "8h")
    kept = sorted((project / ".lorakit" / "checkpoints").rglob("step-*.safetensors"))
    assert (stopped.code, stopped.finished["ending"]) == (130, "interrupted")
    at = int(kept[-1].stem.removeprefix("step-"))
    assert 0 < at < STEPS - 1
    again = run(project)
    assert again.code == 0, again.errors
    assert min(steps_told(again.events)) > at
    assert digests(again) == unbroken


@pytest.mark.slow
def test_complaint_15_and_16_two_trainings_and_their_table(project: Path) -> None:
    more = (
        "  full: {kind: train-text, data: films, max_length: 32, method: full, "
        "train: {max_train_steps: 80, batch_size: 8, learning_rate: 1e-2, precision: fp32}}\n"
        "  table: {kind: compare, of: [full, lora]}\n"
    )
    (project / "recipe.yaml").write_text(recipe_text(more=more))
    ran = run(project)
    assert ran.code == 0, ran.errors
    full, lora = (
        json.loads((ran.folder / name / "metrics.json").read_text()) for name in ("full", "lora")
    )
    for found in (full, lora):
        assert found["accuracy"] > 0.85  # four words to learn
        assert sum(map(sum, found["confusion_matrix"])) == 10
        assert found["reloaded_difference"] < 1e-4
    assert lora["trainable_parameters"] < full["trainable_parameters"] == full["total_parameters"]
    table = (ran.folder / "table" / "table.md").read_text()
    rows = [[cell.strip() for cell in line.strip("| \n").split("|")] for line in table.splitlines()]
    assert rows[0][-3:] == ["full", "lora", "lora against full"]
    accuracy = next(row for row in rows if row[0] == "accuracy, held out")
    assert accuracy[1:3] == [f"{100 * f['accuracy']:.2f} %" for f in (full, lora)]
    compared = json.loads((ran.folder / "table" / "metrics.json").read_text())
    assert compared["differences"]["accuracy"]["lora"] == pytest.approx(
        lora["accuracy"] - full["accuracy"]
    )
    assert (ran.folder / "lora" / "loss_curve.png").stat().st_size > 2000
    again = run(project)
    assert again.made() == []
    assert digests(again) == digests(ran)


def test_complaint_08_a_loss_that_is_not_finite_ends_the_run_in_words(project: Path) -> None:
    text = recipe_text(steps=50).replace("learning_rate: 1e-2", "learning_rate: 10")
    text = text.replace("precision: fp32", "precision: fp32, max_grad_norm: 0, optimizer: sgd")
    # weights of this size overflow at once
    (project / "recipe.yaml").write_text(text.replace("rank: 2", "rank: 2, alpha: 1e30"))
    ran = run(project)
    assert ran.code == 1
    failed = next(e for e in ran.events if e.get("outcome") == "failed")
    assert "not finite at step" in failed["detail"]
    # what this recipe has already is not proposed
    assert failed["detail"].endswith(
        "a lower learning_rate, lr_warmup_steps or max_grad_norm: 1 may help"
    )
    assert "the film was" in failed["detail"]
