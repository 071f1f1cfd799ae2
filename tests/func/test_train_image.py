"""Adapters for pictures, trained by lorakit's own process on a tiny pipeline, and drawn with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors import safe_open

from tests.support.hub import caches, parquet, publish
from tests.support.runs import lorakit, run

RECIPE = """\
recipe: 1
seed: 5
models: {tiny: {from: tiny, dtype: fp32}}
datasets: {foxes: {images: foxes, caption: "{caption}, soft"}}
steps:
  style:
    kind: train-image
    data: foxes
    lora: {rank: 2, alpha: 6, target_modules: [attn2.to_q, attn2.to_k, attn2.to_v]}
    train: {max_train_steps: 6, batch_size: 2, learning_rate: 1e-1, precision: fp32}
  bare: {kind: generate, prompts: [a fox on mars], num_inference_steps: 2}
  worn: {kind: generate, prompts: [a fox on mars], num_inference_steps: 2, adapters: {style: 0.8}}
"""


@pytest.fixture
def foxes(home: Path) -> Path:
    folder = home / "foxes"
    folder.mkdir()
    for number, (size, colour) in enumerate(
        [((64, 64), "red"), ((96, 48), "blue"), ((64, 64), "green")]
    ):
        Image.new("RGB", size, colour).save(folder / f"{number}.png")
        (folder / f"{number}.txt").write_text(f"a fox at {number}\n")
    (home / "recipe.yaml").write_text(RECIPE)
    return folder


@pytest.mark.slow
def test_an_adapter_is_trained_and_worn_and_its_bytes_are_the_same_again(
    home: Path, foxes: Path
) -> None:
    done = run(home)
    assert done.code == 0, done.errors
    actions = {a["id"]: a for a in done.manifest["actions"]}
    assert actions["bare/1"]["outputs"] != actions["worn/1"]["outputs"]
    file = done.folder / "style" / "pytorch_lora_weights.safetensors"
    with safe_open(str(file), framework="pt") as opened:
        told = json.loads(opened.metadata()["lora_adapter_metadata"])
        tensors = {k: opened.get_tensor(k) for k in opened.keys()}  # noqa: SIM118
    assert (told["unet.r"], told["unet.lora_alpha"]) == (2, 6.0)
    assert all(torch.count_nonzero(t) for t in tensors.values())
    figures = json.loads((done.folder / "style" / "metrics.json").read_text())
    assert figures["reloaded_difference"] < 1e-4
    assert figures["trainable_parameters"] == sum(t.numel() for t in tensors.values())
    assert run(home).made() == []
    again = run(home, "--force", "style")
    assert "style/training" in again.made()
    assert "worn/1" not in again.made()  # the same bytes: what follows is there already
    assert (again.folder / "style" / file.name).read_bytes() == file.read_bytes()
    exported = lorakit(
        home, "export", "adapter", str(file), "--format", "kohya", "--out", "k.safetensors"
    )
    assert exported.returncode == 0, exported.stderr
    with safe_open(str(home / "k.safetensors"), framework="pt") as opened:
        assert opened.metadata()["ss_network_alpha"] == "6"


def test_complaint_04_buckets_drop_no_picture_and_the_plan_shows_captions_and_exact_steps(
    home: Path, foxes: Path
) -> None:
    shown = lorakit(home, "plan").stdout
    assert "all 3 pictures used: 2 at 64x64, 1 at 64x32" in shown
    # two batches an epoch, of 2 and of 1 picture
    assert "6 optimizer steps, 3 epochs of 3 pictures: 9 pictures seen" in shown
    assert "0.png: a fox at 0, soft" in shown


def test_complaint_03_captions_silently_unused_are_an_error(home: Path, foxes: Path) -> None:
    (foxes / "1.txt").unlink()
    done = lorakit(home, "plan")
    assert done.returncode == 3
    assert "error[no-caption]: 1.png has no caption: 1.png" in done.stderr
    assert "put 1.txt beside it" in done.stderr


def test_complaint_07_stale_caches_after_an_image_changed(home: Path, foxes: Path) -> None:
    def key() -> str:
        return json.loads(lorakit(home, "plan", "--json").stdout)["actions"][0]["key"]

    before = key()
    assert key() == before
    Image.new("RGB", (64, 64), "black").save(foxes / "0.png")
    assert key() != before


@pytest.mark.slow
def test_pictures_of_the_hub_are_trained_on_as_a_folder_s_are(
    home: Path, foxes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("datasets")
    cache = caches(tmp_path, monkeypatch)
    rows = {
        "image": [(foxes / f"{number}.png").read_bytes() for number in range(3)],
        "text": [f"a fox at {number}" for number in range(3)],
    }
    publish(cache, "someone/foxes", {"data/train-00000-of-00001.parquet": parquet(rows)})
    (home / "recipe.yaml").write_text(
        RECIPE.replace("images: foxes", "images: 'hub:someone/foxes'")
    )
    done = run(home, "--only", "style")
    assert done.code == 0, done.errors
    assert json.loads((done.folder / "style" / "metrics.json").read_text())["steps"] == 6
    (home / "recipe.yaml").write_text(RECIPE)
    shown = json.loads(lorakit(home, "plan", "--json").stdout)["actions"]
    states = {a["state"] for a in shown if a["id"].startswith("style/")}
    assert states == {"cached"}  # the very same pictures, captions and training
