"""What trainings' keys come to in a plan: warm-up as a share, adapters of steps, layers, captions."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

import lorakit
from lorakit.diagnostics import InvalidDocument
from tests.support.image_training import paint
from tests.support.tiny_text import save_bert

pytestmark = pytest.mark.filterwarnings("ignore")
LONG = "a white bunny in a green meadow looks at a wooden door " * 8  # 96 tokens


@pytest.fixture
def project(tmp_path: Path, tiny_sd: Path) -> Path:
    (tmp_path / ".lorakit").mkdir()
    shutil.copytree(tiny_sd, tmp_path / "model")
    paint(tmp_path / "foxes", [(64, 64)] * 3)
    return tmp_path


def recipe(folder: Path, step: str = "", data: str = "", more: str = "") -> Path:
    path = folder / "recipe.yaml"
    path.write_text(
        "recipe: 1\nmodels: {tiny: {from: model, dtype: fp32}}\n"
        f"datasets: {{foxes: {{images: foxes{data}}}}}\n"
        f"steps:\n  style: {{kind: train-image, model: tiny, data: foxes{step}}}\n{more}"
    )
    return path


def training(folder: Path, step: str = "", data: str = "", more: str = "") -> Any:
    plan = lorakit.load(recipe(folder, step, data, more)).plan()
    return next(p.action for p in plan.actions if p.action.id == "style/training")


def complaint(folder: Path, step: str = "", data: str = "") -> str:
    with pytest.raises(InvalidDocument) as caught:
        lorakit.load(recipe(folder, step, data)).plan()
    return str(caught.value)


@pytest.mark.parametrize(("ratio", "steps"), [(0.1, 5), (0.01, 1), (0.9, 38)])
def test_a_warm_up_may_be_a_share_of_all_steps(project: Path, ratio: float, steps: int) -> None:
    """Rounded up, as transformers' TrainingArguments do."""
    from transformers import TrainingArguments

    made = training(project, f", train: {{max_train_steps: 42, warmup_ratio: {ratio}}}")
    assert made.task.train.lr_warmup_steps == steps
    arguments = TrainingArguments(str(project / "out"), warmup_steps=ratio, report_to=[])
    assert arguments.get_warmup_steps(42) == steps


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (", train: {warmup_ratio: 0.1, lr_warmup_steps: 3}", "[both-given]"),
        (", train: {lr_warmup_steps: 0.1}", "as a share of them all it is warmup_ratio: 0.1"),
        (", train: {warmup_ratio: 0.1, lr_scheduler: constant}", "[no-effect]: warmup_ratio"),
        (", train: {text_encoder_learning_rate: 1e-5}", "without train_text_encoder"),
        (", train: {keep: best}", "foxes says no test_size"),
        (", method: full, train: {save_every: 5}", "it keeps adapters"),
        (", train: {max_train_steps: 9, save_every: 9}", "save_every: 9 has no effect"),
        (", lora: {target_modules: [all-linear]}", "target_modules: all-linear, without brackets"),
    ],
)
def test_keys_that_would_be_passed_over_are_errors(project: Path, step: str, words: str) -> None:
    assert words in complaint(project, step)


def test_adapters_of_steps_are_outputs_and_published(project: Path) -> None:
    made = training(project, ", train: {max_train_steps: 10, save_every: 4}")
    assert made.files["adapter_4"] == ("style/checkpoints/step_000004.safetensors",)
    assert made.files["adapter_8"] == ("style/checkpoints/step_000008.safetensors",)
    assert "adapter_12" not in made.files
    # what is sampled is among them, each once
    samples = "samples: {prompts: [a fox], every: 2}"
    made = training(project, f", {samples}, train: {{max_train_steps: 6, save_every: 4}}")
    assert [name for name in made.files if name.startswith("adapter_")] == [
        "adapter_2",
        "adapter_4",
    ]


def test_all_linear_is_every_linear_layer_of_the_unet(project: Path) -> None:
    import torch
    from diffusers import UNet2DConditionModel

    from lorakit.training.image_model import build

    made = training(project, ", lora: {rank: 2, target_modules: all-linear}")
    pipeline = build(made.task, words=False)
    adapted = {
        n.removesuffix(".lora_A") for n, _ in pipeline.unet.named_modules() if n.endswith(".lora_A")
    }
    plain = UNet2DConditionModel.from_pretrained(project / "model", subfolder="unet")
    linear = {n for n, m in plain.named_modules() if isinstance(m, torch.nn.Linear)}
    assert adapted == linear
    trained = sum(p.numel() for p in pipeline.unet.parameters() if p.requires_grad)
    assert any(f"trains {trained:,} of" in line for line in made.notes)


def test_all_linear_of_a_classifier_is_what_peft_calls_so(tmp_path: Path) -> None:
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForSequenceClassification

    from lorakit.training.task import layers_meant
    from lorakit.training.text_model import heads_of

    save_bert(tmp_path)
    model = AutoModelForSequenceClassification.from_pretrained(tmp_path)
    ours = set(layers_meant(model, "all-linear", heads_of(model)))
    theirs = get_peft_model(model, LoraConfig(task_type="SEQ_CLS", target_modules="all-linear"))
    found = {
        name.removeprefix("base_model.model.").removesuffix(".lora_A")
        for name, _ in theirs.named_modules()
        if name.endswith(".lora_A")
    }
    assert ours == found


def test_a_caption_that_is_too_long_is_an_error_with_its_ways_out(project: Path) -> None:
    (project / "foxes" / "1.txt").write_text(LONG)
    said = complaint(project)
    assert "[prompt-too-long]: the caption of 1.png has 98 tokens" in said
    assert "max_token_length: 150, or truncate_captions: true" in said
    (project / "foxes" / "1.txt").write_text(LONG * 2)
    said = complaint(project, ", max_token_length: 150")
    assert "has 194 tokens, 152 are read" in said
    assert "max_token_length: 225" in said


def test_captions_are_cut_on_request_and_the_plan_says_which(project: Path) -> None:
    (project / "foxes" / "1.txt").write_text(LONG)
    made = training(project, ", truncate_captions: true")
    (line,) = [line for line in made.notes if "falls off" in line]
    assert line.startswith("1.png: '")
    assert line.endswith("of its 98 tokens falls off")


def test_long_captions_are_encoded_in_chunks(project: Path) -> None:
    (project / "foxes" / "1.txt").write_text(LONG)
    plain = training(project, ", truncate_captions: true")
    made = training(project, ", max_token_length: 150, clip_skip: 1")
    assert made.task.max_token_length == 150
    assert made.task.clip_skip == 1
    assert "max_token_length" not in plain.task.key()
    plan = lorakit.load(project / "recipe.yaml").plan()
    embeds = [p.action.task.key() for p in plan.actions if p.action.kind == "embeds"]
    assert {(one["max_token_length"], one["clip_skip"]) for one in embeds} == {(150, 1)}


def test_clip_skip_is_one_in_trainings_their_samples_and_frames(project: Path) -> None:
    more = "  shown: {kind: generate, model: tiny, prompts: [a fox], clip_skip: 1}\n"
    path = recipe(project, ", clip_skip: 1, samples: {prompts: [a fox]}", more=more)
    frames = [p.action.task for p in lorakit.load(path).plan().actions if p.action.kind == "frame"]
    assert [frame.key()["clip_skip"] for frame in frames] == [1, 1]
    path = recipe(project, more=more.replace(", clip_skip: 1", ""))
    frames = [p.action.task for p in lorakit.load(path).plan().actions if p.action.kind == "frame"]
    assert "clip_skip" not in frames[0].key()


def test_more_layers_than_there_are_cannot_be_left_out(project: Path) -> None:
    assert "[clip-skip]: clip_skip: 2 leaves out more layers" in complaint(
        project, ", clip_skip: 2"
    )
    path = recipe(
        project, more="  shown: {kind: generate, model: tiny, prompts: [a], clip_skip: 9}\n"
    )
    with pytest.raises(InvalidDocument, match="write clip_skip: 1, or less"):
        lorakit.load(path).plan()


def test_adapters_of_steps_and_the_best_are_counted_on_the_disk(project: Path) -> None:
    train = "max_train_steps: 10"
    plain = training(project, f", train: {{{train}}}").cost
    data = ", test_size: 1"
    more = training(project, f", train: {{{train}, save_every: 4, keep: best}}", data).cost
    adapter = plain.disk - 200_000
    assert more.disk - 200_000 == 3 * adapter
    assert more.passing_disk - plain.passing_disk == 3 * adapter
