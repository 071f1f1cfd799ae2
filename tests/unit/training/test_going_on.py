"""A training that goes on from an adapter begins where that one ends, whatever format it is in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import lorakit
from lorakit.diagnostics import InvalidDocument, LorakitError
from lorakit.training import adapter_files, image_model
from lorakit.training.image_start import start_from
from lorakit.training.networks import Networks
from tests.support.image_training import fox_recipe, train

pytestmark = pytest.mark.filterwarnings("ignore")
LORA = "rank: 2, target_modules: [to_q, to_v, conv1]"


def task_of(recipe: Path, step: str = "style") -> Any:
    plan = lorakit.load(recipe).plan()
    return next(p.action.task for p in plan.actions if p.action.id == f"{step}/training")


def networks_of(task: Any) -> Networks:
    pipeline = image_model.build(task, words=task.train_text_encoder)
    return Networks(pipeline, task.family, text=task.train_text_encoder)


def moved(networks: Any) -> Any:
    rng = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in networks.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn(parameter.shape, generator=rng) * 0.3)
    return networks


def deltas(adapter: Any) -> dict[str, torch.Tensor]:
    """What each layer adds, as a matrix."""
    return {
        name: layer.scale * layer.tensors["up"].flatten(1) @ layer.tensors["down"].flatten(1)
        for name, layer in adapter.items()
    }


@pytest.mark.parametrize("style", ["diffusers", "kohya", "peft"])
@pytest.mark.parametrize("text", ["false", "true"], ids=["unet", "text-encoder"])
def test_it_begins_as_the_file_does_though_its_alpha_is_another(
    tiny_sd: Path, tmp_path: Path, style: str, text: str
) -> None:
    if style == "peft" and text == "true":
        pytest.skip("PEFT's format is of one network")
    step = f"train_text_encoder: {text}, train: {{max_train_steps: 2}}"
    recipe = fox_recipe(tmp_path, tiny_sd, f"lora: {{{LORA}, alpha: 7}}, {step}")
    theirs = image_model.adapter_of(moved(networks_of(task_of(recipe))))
    file = tmp_path / "ink" / "adapter_model.safetensors"
    file.parent.mkdir()
    adapter_files.write(theirs, file, style)
    recipe.write_text(recipe.read_text().replace("alpha: 7", "alpha: 1, use_rslora: true"))
    own = networks_of(task_of(recipe))
    assert all(not delta.any() for delta in deltas(image_model.adapter_of(own)).values())
    start_from(own, file)
    expected, found = deltas(theirs), deltas(image_model.adapter_of(own))
    assert expected.keys() == found.keys()
    for name, delta in expected.items():
        assert torch.allclose(delta, found[name], atol=1e-5), name


def adapters(recipe: Path, more: str, ink: str = "ink.safetensors") -> Path:
    text = recipe.read_text().replace("steps:\n", f"adapters: {{ink: {{from: {ink}}}}}\nsteps:\n")
    recipe.write_text(text.replace(f"lora: {{{LORA}}}", f"lora: {{{LORA}, from: ink}}") + more)
    return recipe


@pytest.mark.slow
def test_a_training_goes_on_from_a_file_and_arrives(tiny_sd: Path, tmp_path: Path) -> None:
    step = f"lora: {{{LORA}}}, train: {{max_train_steps: 2, learning_rate: RATE, precision: fp32}}"
    recipe = fox_recipe(tmp_path, tiny_sd, step.replace("RATE", "1e-2"))
    first = train(recipe, tmp_path / "first")
    (tmp_path / "ink.safetensors").write_bytes(Path(first.outputs["adapter"]).read_bytes())
    plain = task_of(recipe)
    recipe.write_text(recipe.read_text().replace("1e-2", "1e-9"))
    task = task_of(adapters(recipe, ""))
    assert (len(task.start), plain.start) == (64, "")
    assert "start" in task.key()
    assert "start" not in plain.key()
    second = train(recipe, tmp_path / "second")  # with its check in a fresh process
    from lorakit.models.adapter_formats import read

    one, other = (deltas(read(Path(done.outputs["adapter"]))) for done in (first, second))
    assert any(delta.abs().max() > 1e-5 for delta in one.values())
    assert all(torch.allclose(one[name], other[name], atol=1e-6) for name in one)


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ("lora: {rank: 4, target_modules: [to_q, to_v, conv1], from: ink}", "has rank 2, and this step trains rank 4"),
        ("lora: {rank: 2, target_modules: [to_q], from: ink}", "which this step does not train"),
        ("lora: {rank: 2, target_modules: [to_q], from: inc}", "did you mean ink?"),
        ("lora: {rank: 2, target_modules: [to_q], from: ink.safetensors}", "write from: mine"),
        ("lora: {rank: 2, peft_type: loha, from: ink}", "as a LoRA only"),
        ("lora: {rank: 2, from: style}", "cannot go on from itself"),
        ("lora: {rank: 2, from: other.step_3}", "other keeps no adapter of its step 3"),
        ("lora: {rank: 2, from: other}", "has rank: 8, and this step 2"),
    ],
)  # fmt: skip
def test_what_cannot_be_gone_on_from_is_an_error_at_its_place(
    tiny_sd: Path, tmp_path: Path, step: str, words: str
) -> None:
    recipe = fox_recipe(tmp_path, tiny_sd, f"lora: {{{LORA}}}, train: {{max_train_steps: 2}}")
    theirs = image_model.adapter_of(moved(networks_of(task_of(recipe))))
    adapter_files.write(theirs, tmp_path / "ink.safetensors", "kohya")
    text = recipe.read_text().replace(f"lora: {{{LORA}}}", step)
    text = text.replace("steps:\n", "adapters: {ink: {from: ink.safetensors}}\nsteps:\n")
    other = "  other: {kind: train-image, data: foxes, train: {max_train_steps: 4}}\n"
    recipe.write_text(text + other)
    with pytest.raises(InvalidDocument) as caught:
        lorakit.load(recipe).plan()
    assert words in str(caught.value)
    line = next(
        n
        for n, line in enumerate(recipe.read_text().splitlines(), 1)
        if "from: " in line and "style:" in line
    )
    assert f"recipe.yaml:{line}:" in str(caught.value)


def test_a_step_goes_on_from_another_and_frames_wear_its_steps(
    tiny_sd: Path, tmp_path: Path
) -> None:
    recipe = fox_recipe(
        tmp_path, tiny_sd, f"lora: {{{LORA}}}, train: {{max_train_steps: 6, save_every: 2}}"
    )
    recipe.write_text(
        recipe.read_text()
        + f"  more: {{kind: train-image, data: foxes, lora: {{{LORA}, from: style.step_4}}, train: {{max_train_steps: 2}}}}\n"
        + "  shown: {kind: generate, prompts: [a fox], adapters: {style.step_000002: 0.5}}\n"
    )
    plan = lorakit.load(recipe).plan()
    actions = {p.action.id: p.action for p in plan.actions}
    start = next(i for i in actions["more/training"].inputs if i.role == "start")
    assert (start.action, start.output) == ("style/training", "adapter_4")
    assert "goes on from style.step_4" in actions["more/training"].notes
    assert "keeps the adapter of step 2, 4" in actions["style/training"].notes
    worn = next(i for i in actions["shown/1"].inputs if i.role == "adapter_1")
    assert (worn.action, worn.output) == ("style/training", "adapter_2")
    recipe.write_text(recipe.read_text().replace("step_000002", "step_3"))
    with pytest.raises(InvalidDocument, match="style keeps no adapter of its step 3") as caught:
        lorakit.load(recipe).plan()
    assert "it keeps those of step 2 or step 4" in str(caught.value)


def test_another_shape_that_no_plan_could_see_is_refused_by_the_worker(
    tiny_sd: Path, tmp_path: Path
) -> None:
    recipe = fox_recipe(tmp_path, tiny_sd, f"lora: {{{LORA}}}, train: {{max_train_steps: 2}}")
    theirs = image_model.adapter_of(networks_of(task_of(recipe)))
    adapter_files.write(theirs, tmp_path / "ink.safetensors")
    recipe.write_text(recipe.read_text().replace("rank: 2", "rank: 3"))
    with pytest.raises(LorakitError, match=r"is \(2, .* in what it goes on from, and \(3, "):
        start_from(networks_of(task_of(recipe)), tmp_path / "ink.safetensors")
