"""What users of other trainers ask for most, from a recipe to its files, loaded by others' loaders."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from safetensors.torch import load_file

from tests.support.image_training import fox_recipe, train

pytestmark = pytest.mark.filterwarnings("ignore")
LONG = "a white bunny in a green meadow looks at a wooden door " * 8  # 96 tokens


@pytest.mark.slow
@pytest.mark.parametrize("text", ["false", "true"], ids=["unet", "text-encoder"])
def test_adapters_of_steps_the_best_one_and_captions_in_chunks(
    tiny_sd: Path, tmp_path: Path, text: str
) -> None:
    rate = ", text_encoder_learning_rate: 1e-4" if text == "true" else ""
    step = (
        f"lora: {{rank: 2, target_modules: all-linear}}, train_text_encoder: {text}, "
        "max_token_length: 150, clip_skip: 1, "
        "train: {max_train_steps: 6, save_every: 2, keep: best, batch_size: 2, "
        f"learning_rate: 1e-2, precision: fp32, warmup_ratio: 0.3{rate}}}"
    )
    recipe = fox_recipe(tmp_path, tiny_sd, step, ", test_size: 1")
    (tmp_path / "foxes" / "1.txt").write_text(LONG)
    done = train(recipe, tmp_path / "scratch")  # its reload check compares in a fresh process
    files = {name: Path(path) for name, path in done.outputs.items()}
    assert {"adapter", "adapter_2", "adapter_4"} <= set(files)
    weights = {name: load_file(files[name]) for name in ("adapter", "adapter_2", "adapter_4")}
    assert len({frozenset(one) for one in weights.values()}) == 1
    lines = [json.loads(line) for line in files["log"].read_text().splitlines()]
    losses = {line["step"]: line["held_out_loss"] for line in lines}
    found = json.loads(files["metrics"].read_text())
    best = min(losses, key=lambda at: (losses[at], at))
    assert found["best_step"] == best
    assert found["held_out_loss"] == pytest.approx(losses[best], abs=1e-6)
    if best in (2, 4):
        same = weights[f"adapter_{best}"]
        assert all((same[name] == weights["adapter"][name]).all() for name in same)
    assert any("text_encoder" in name for name in weights["adapter"]) == (text == "true")
