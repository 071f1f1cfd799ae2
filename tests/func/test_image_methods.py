"""One training of each family and kind to its end: a fresh process loads it by public loaders."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.support.image_training import paint, train

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "more"),
    [
        ("tiny_sd2", "lora: {rank: 2, alpha: 6, use_rslora: true}, train_text_encoder: true"),
        ("tiny_sdxl", "method: full, random_flip: true"),
        ("tiny_sdxl", "lora: {rank: 2, peft_type: loha}, shuffle_tags: true, caption_dropout: 0.5"),
    ],
    ids=["sd2-text-encoder", "sdxl-full", "sdxl-loha"],
)
def test_complaint_11_a_fresh_process_loads_what_was_trained(
    request: pytest.FixtureRequest, tmp_path: Path, model: str, more: str
) -> None:
    paint(tmp_path / "foxes", [(64, 64), (96, 48), (64, 64)], ["a fox, red, soft"] * 3)
    (tmp_path / ".lorakit").mkdir()
    shutil.copytree(request.getfixturevalue(model), tmp_path / "model")
    (tmp_path / "recipe.yaml").write_text(
        "recipe: 1\nseed: 5\nmodels: {tiny: {from: model, dtype: fp32}}\n"
        "datasets: {foxes: {images: foxes, test_size: 1}}\nsteps:\n"
        f"  style: {{kind: train-image, data: foxes, {more}, train: {{max_train_steps: 3, batch_size: 2, "
        "learning_rate: 5e-3, precision: fp32, ema_decay: 0.5}}\n"
    )
    found = train(tmp_path / "recipe.yaml", tmp_path / "scratch")
    figures = json.loads(Path(found.outputs["metrics"]).read_text())
    assert figures["reloaded_difference"] < 1e-4
    assert (figures["train_samples"], figures["test_samples"]) == (2, 1)
    assert figures["held_out_loss"] != figures["held_out_loss_before"]
