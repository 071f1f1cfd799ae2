"""Models in one file from a recipe to pictures: what they lack comes from a folder, and says so where it does not."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.support.image_training import paint
from tests.support.one_file import whole
from tests.support.original_layouts import (
    PREFIX,
    flux_tensors,
    save_gguf,
    save_original,
    sd3_tensors,
)
from tests.support.runs import lorakit, run

pytestmark = pytest.mark.filterwarnings("ignore")
RECIPE = """recipe: 1
models:
  m: {from: FILE, parts: parts, dtype: fp32}
  folder: {from: model, dtype: fp32}
steps:
  one: {kind: generate, prompts: [a fox], model: m, width: 64, height: 64, num_inference_steps: 2}
  two: {kind: generate, prompts: [a fox], model: folder, width: 64, height: 64, num_inference_steps: 2}
"""


def pictures(home: Path) -> list[bytes]:
    files = sorted((home / "outputs").rglob("*.png"))
    return [Image.open(file).tobytes() for file in files if "sheet" not in file.name]


@pytest.mark.slow
def test_a_file_and_its_folder_draw_the_same(
    tiny_transformer: Callable[[str], Path], home: Path
) -> None:
    shutil.copytree(tiny_transformer("sd3"), home / "model")
    shutil.copytree(home / "model", home / "parts")
    for weights in (home / "parts" / "transformer").glob("*.safetensors*"):
        weights.unlink()
    tensors = sd3_tensors(whole(home / "model").transformer)
    save_original(home / "sd3.5_medium.safetensors", tensors, PREFIX)
    (home / "recipe.yaml").write_text(RECIPE.replace("FILE", "sd3.5_medium.safetensors"))
    done = run(home, "recipe.yaml")
    assert done.code == 0, done.errors
    one, two = pictures(home)
    assert one == two
    # what is taken from the folder is part of what decides
    (home / "parts" / "vae" / "config.json").write_text(
        (home / "parts" / "vae" / "config.json").read_text().replace("0.3611", "0.5")
    )
    again = run(home, "recipe.yaml")
    assert again.made("frame") == ["one/1"], again.made("frame")


@pytest.mark.slow
def test_a_gguf_file_is_planned_and_drawn(
    tiny_transformer: Callable[[str], Path], home: Path
) -> None:
    pytest.importorskip("gguf")
    shutil.copytree(tiny_transformer("sd3"), home / "model")
    (home / "parts").symlink_to(home / "model")
    save_gguf(home / "sd3.gguf", sd3_tensors(whole(home / "model").transformer), "F16", "sd3")
    (home / "recipe.yaml").write_text(RECIPE.replace("FILE", "sd3.gguf"))
    done = run(home, "recipe.yaml")
    assert done.code == 0, done.errors
    assert len(pictures(home)) == 2
    paint(home / "foxes", [(64, 64)])
    (home / "recipe.yaml").write_text(
        "recipe: 1\nmodels: {m: {from: sd3.gguf, parts: parts}}\ndatasets: {p: {images: foxes}}\n"
        "steps:\n  ink: {kind: train-image, data: p, train: {max_train_steps: 1}}\n"
    )
    told = lorakit(home, "validate", "recipe.yaml").stderr
    assert "sd3.gguf is quantised (GGUF): it is drawn with, and not trained" in told, told


def test_what_a_file_lacks_is_told_at_its_place(
    tiny_transformer: Callable[[str], Path], home: Path
) -> None:
    folder = tiny_transformer("flux-schnell")
    save_original(home / "flux.safetensors", flux_tensors(whole(folder).transformer))
    (home / "parts").mkdir()
    step = "steps:\n  one: {kind: generate, prompts: [a fox]}\n"
    recipe = home / "recipe.yaml"
    recipe.write_text(f"recipe: 1\nmodels: {{m: {{from: flux.safetensors}}}}\n{step}")
    told = lorakit(home, "validate", "recipe.yaml").stderr
    assert "recipe.yaml:2:20: error[model]: " in told, told
    assert "flux.safetensors lacks vae, text_encoder, text_encoder_2, tokenizer_2" in told
    assert "under parts:" in told
    assert 'hf download black-forest-labs/FLUX.1-dev --exclude "transformer/*.safetensors"' in told
    recipe.write_text(f"recipe: 1\nmodels: {{m: {{from: flux.safetensors, parts: parts}}}}\n{step}")
    told = lorakit(home, "validate", "recipe.yaml").stderr
    assert "recipe.yaml:2:45: error[model]: " in told, told
    assert "has no model_index.json: not a model in diffusers' layout" in told
    recipe.write_text(
        "recipe: 1\nmodels: {m: {from: flux.safetensors, parts: flux.safetensors}}\n" + step
    )
    told = lorakit(home, "validate", "recipe.yaml").stderr
    assert "recipe.yaml:2:45: error[wrong-form]: parts: is a folder in diffusers' layout" in told
    recipe.write_text(
        "recipe: 1\nmodels: {m: {from: flux.safetensors, parts: 'hub:nobody/nothing'}}\n" + step
    )
    # before it is fetched, a plan says what will be
    done = lorakit(home, "plan", "recipe.yaml")
    assert done.returncode == 0, done.stderr
    done = lorakit(home, "run", "recipe.yaml")
    assert done.returncode != 0
    assert "recipe.yaml:2:" in done.stderr, done.stderr
